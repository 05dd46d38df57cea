//! Plane geometry of boxes and zones.

/// Width × height of `[x1, y1, x2, y2]`; 0 for a box turned inside out.
pub(super) fn area([x1, y1, x2, y2]: [f64; 4]) -> f64 {
    (x2 - x1).max(0.0) * (y2 - y1).max(0.0)
}

/// The middle of a box.
pub(super) fn center([x1, y1, x2, y2]: [f64; 4]) -> [f64; 2] {
    [f64::midpoint(x1, x2), f64::midpoint(y1, y2)]
}

/// Whether a point lies in a polygon, by the even-odd rule; a point on its edge does.
pub(super) fn inside([x, y]: [f64; 2], polygon: &[[f64; 2]]) -> bool {
    let edges = polygon.iter().zip(polygon.iter().cycle().skip(1)).take(polygon.len());
    let mut inside = false;
    for (&[ax, ay], &[bx, by]) in edges {
        let cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
        let within = x >= ax.min(bx) && x <= ax.max(bx) && y >= ay.min(by) && y <= ay.max(by);
        if cross == 0.0 && within {
            return true;
        }
        if (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax {
            inside = !inside;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_in_a_zone_or_not() {
        // An L: the square from 0 to 10 without its upper right quarter.
        let zone = [[0.0, 0.0], [5.0, 0.0], [5.0, 5.0], [10.0, 5.0], [10.0, 10.0], [0.0, 10.0]];
        for (point, expected) in [
            ([2.0, 2.0], true),
            ([7.0, 7.0], true),
            ([7.0, 2.0], false),
            ([5.0, 2.0], true),
            ([0.0, 10.0], true),
            ([10.1, 7.0], false),
            ([-1.0, 5.0], false),
        ] {
            assert_eq!(inside(point, &zone), expected, "{point:?}");
        }
    }
}
