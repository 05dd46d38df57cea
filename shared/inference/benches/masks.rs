//! From logits to a class map of the picture's size, beside what memory allows: reading the enlarged logits once, which
//! is what doing it plane by plane over the whole picture cannot go below.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench may panic")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millrace_inference::{Planes, class_map};

/// SegFormer's: 150 classes of ADE20K, a quarter of 512 × 512.
const CLASSES: usize = 150;
const SIDE: usize = 128;

fn masks(criterion: &mut Criterion) {
    // Smooth, as real logits are: classes change over tens of pixels.
    let place = |at: usize| ((at % SIDE) as f32 / 20.0, (at / SIDE % SIDE) as f32 / 20.0, at / (SIDE * SIDE));
    let value = |at: usize| {
        let (x, y, class) = place(at);
        (x + class as f32).sin() * (y + class as f32 * 1.7).cos()
    };
    let logits: Vec<f32> = (0..CLASSES * SIDE * SIDE).map(value).collect();
    let mut group = criterion.benchmark_group("class_map");
    for (name, size) in [("640x480", [480u32, 640]), ("1920x1080", [1080, 1920])] {
        let numbers = CLASSES as u64 * u64::from(size[0]) * u64::from(size[1]);
        group.throughput(Throughput::Bytes(numbers * 4));
        group.sample_size(10);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let planes = Planes::of_rows(CLASSES, SIDE, SIDE, &logits).unwrap();
                black_box(class_map(&planes, size))
            });
        });
        let enlarged = vec![0.5f32; usize::try_from(numbers).unwrap()];
        group.bench_function(format!("{name}/limit: reading the enlarged logits once"), |bencher| {
            bencher.iter(|| {
                let lanes = enlarged.chunks_exact(16).fold([0.0f32; 16], |mut sums, chunk| {
                    sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value);
                    sums
                });
                black_box(lanes)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, masks);
criterion_main!(benches);
