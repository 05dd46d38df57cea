//! `heatmap`: where detections crowd, as colours over the picture.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::heatmap::{Anchor, Colormap, Config, WeightBy};
use millrace_contracts::JobError;
use millrace_contracts::values::Detection;
use millrace_vision::{Heat, Spot, heatmap};

use super::bounds::check_pixels;
use super::marked;
use crate::images::{Made, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    warm(context).boxed()
}

async fn warm(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let spots: Vec<Spot> = marked::boxes(context, &image)?.iter().map(|item| spot(item, &config)).collect();
    let frame = pixels(context, "image", &image).await?;
    let heat = Heat {
        radius: config.radius as f32,
        opacity: config.opacity as f32,
        colormap: match config.colormap {
            Colormap::Turbo => millrace_vision::Colormap::Turbo,
            Colormap::Viridis => millrace_vision::Colormap::Viridis,
            Colormap::Inferno => millrace_vision::Colormap::Inferno,
            Colormap::Magma => millrace_vision::Colormap::Magma,
            Colormap::Plasma => millrace_vision::Colormap::Plasma,
        },
    };
    let size = (frame.width(), frame.height());
    check_pixels(spots.iter().map(|spot| spot.reach(heat.radius, size).area()))?;
    let warmed = context.cpu(Stage::Inference, move || heatmap(&frame, &spots, &heat)).await?;
    let value = store(context, Made::view(&image, warmed)).await?;
    Ok(Outputs::from_iter([("image".to_owned(), value.to_value())]))
}

fn spot(item: &Detection, config: &Config) -> Spot {
    let [x1, y1, x2, y2] = item.bbox;
    let y = match config.anchor {
        Anchor::Center => f32::midpoint(y1, y2),
        Anchor::BottomCenter => y2,
    };
    let weight = match config.weight_by {
        WeightBy::Count => 1.0,
        WeightBy::Confidence => item.confidence,
    };
    Spot { x: f32::midpoint(x1, x2), y, weight }
}
