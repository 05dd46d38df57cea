//! `draw_boxes`: detections drawn on their picture, for people.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::draw_boxes::{ColorBy, Config, Labels};
use millrace_contracts::JobError;
use millrace_contracts::values::Detection;
use millrace_vision::{BoxStyle, LabelStyle, Mark, draw_boxes};

use super::bounds::{check_labels, check_work};
use super::marked;
use crate::error::of_vision;
use crate::images::{Made, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    draw(context).boxed()
}

async fn draw(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let marks: Vec<Mark> = marked::boxes(context, &image)?.into_iter().map(mark).collect();
    let frame = pixels(context, "image", &image).await?;
    let style = style(config);
    check(&marks, &style, (frame.width(), frame.height()))?;
    let drawn = context.cpu(Stage::Inference, move || draw_boxes(&frame, &marks, &style)).await?;
    let made = Made::view(&image, drawn.map_err(|error| of_vision(&error))?);
    let value = store(context, made).await?;
    Ok(Outputs::from_iter([("image".to_owned(), value.to_value())]))
}

/// Refuses more than a job may draw on a picture of this width and height.
fn check(marks: &[Mark], style: &BoxStyle, size: (u32, u32)) -> Result<(), JobError> {
    let labels: Vec<Option<u64>> = marks.iter().map(|mark| style.label_pixels(mark, size)).collect();
    check_labels(labels.iter().flatten().count())?;
    let works = marks.iter().zip(labels);
    let works = works.map(|(mark, label)| style.outline_pixels(mark, size) + label.unwrap_or(0));
    check_work(works, "`roundness`, `thickness` or `text_scale`")
}

fn mark(detection: Detection) -> Mark {
    let Detection { bbox, class_id, class_name, confidence, tracker_id, .. } = detection;
    Mark { bbox, class_id, class_name, confidence, tracker_id }
}

fn style(config: Config) -> BoxStyle {
    BoxStyle {
        thickness: config.thickness as f32,
        palette: config.palette.unwrap_or_default().into_iter().map(|color| color.rgb).collect(),
        color_by: color_by(config.color_by),
        labels: match config.labels {
            Labels::Class => LabelStyle::Class,
            Labels::ClassConfidence => LabelStyle::ClassConfidence,
            Labels::None => LabelStyle::None,
        },
        text_scale: config.text_scale as f32,
        roundness: config.roundness as f32,
    }
}

pub(super) fn color_by(setting: ColorBy) -> millrace_vision::ColorBy {
    match setting {
        ColorBy::Class => millrace_vision::ColorBy::Class,
        ColorBy::Index => millrace_vision::ColorBy::Index,
        ColorBy::Track => millrace_vision::ColorBy::Track,
    }
}
