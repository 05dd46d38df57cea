//! Which class a `preprocessor_config.json` is meant for that names none: files of the first years are so, and the model's
//! `model_type` tells (`IMAGE_PROCESSOR_MAPPING_NAMES` of `transformers` 4.57; the slow class where there are two).

/// Image processors, without `ImageProcessor`, and the model types that are theirs.
const THEIRS: &[(&str, &[&str])] = &[
    ("Beit", &["beit", "data2vec-vision"]),
    ("Bit", &["bit", "dinov2", "focalnet", "hiera"]),
    ("Blip", &["blip"]),
    ("CLIP", &["clip", "groupvit", "metaclip_2"]),
    ("ChineseCLIP", &["chinese_clip"]),
    ("ConditionalDetr", &["conditional_detr", "dab-detr"]),
    ("ConvNext", &["convnext", "convnextv2", "cvt", "regnet", "resnet", "van"]),
    ("DINOv3ViT", &["dinov3_convnext", "dinov3_vit"]),
    ("DeformableDetr", &["deformable_detr", "lw_detr"]),
    ("DeiT", &["deit"]),
    ("Detr", &["detr", "table-transformer"]),
    ("EfficientNet", &["align", "efficientnet"]),
    ("Levit", &["levit"]),
    ("Mask2Former", &["mask2former"]),
    ("MaskFormer", &["maskformer"]),
    ("MobileNetV1", &["mobilenet_v1"]),
    ("MobileNetV2", &["mobilenet_v2"]),
    ("MobileViT", &["mobilevit", "mobilevitv2"]),
    ("Pvt", &["pvt", "pvt_v2"]),
    ("RTDetr", &["rt_detr", "rt_detr_v2", "d_fine", "deimv2"]),
    ("RfDetr", &["rf_detr"]),
    ("Segformer", &["segformer", "upernet"]),
    ("Siglip", &["siglip"]),
    ("ViT", &["dinat", "ijepa", "nat", "swiftformer", "swin", "swinv2", "vit", "vit_mae", "vit_msn"]),
    ("Yolos", &["yolos"]),
];

/// The image processor of models of this `model_type`; none where it is not known.
pub(crate) fn image_processor_of(model_type: &str) -> Option<String> {
    let (class, _) = THEIRS.iter().find(|(_, types)| types.contains(&model_type))?;
    Some(format!("{class}ImageProcessor"))
}

#[cfg(test)]
mod tests {
    use super::super::kinds::find;
    use super::*;

    #[test]
    fn every_class_is_known_and_every_type_has_one() {
        for (class, types) in THEIRS {
            for model_type in *types {
                let processor = image_processor_of(model_type).unwrap();
                assert_eq!(processor, format!("{class}ImageProcessor"), "{model_type} is another's as well");
                assert!(find(&processor).is_some(), "{processor}");
            }
        }
        assert_eq!(image_processor_of("bert"), None);
    }
}
