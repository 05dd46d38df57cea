#![doc = include_str!("../README.md")]

mod aside;
mod bare;
mod blank;
mod cache;
mod description;
mod device;
mod digest;
mod error;
mod facts;
mod families;
mod folder;
mod graph;
mod layout;
mod literal;
mod masks;
mod model;
mod overrides;
mod preprocess;
mod repository;
mod runtime;
mod serving;
mod session;
mod shares;
mod signs;
mod stamp;
mod tensor;
mod texts;
mod weights;

pub use bare::Bare;
pub use cache::{
    CacheObserver, CacheReport, CacheSettings, Evicted, MemoryMeter, ModelCache, Pressure, ProcessMeter,
    Quiet, Warm, WarmModel,
};
pub use device::{Chosen, Device, GpuSettings, Pinned};
pub use error::InferenceError;
pub use facts::{Companion, Facts, Part};
pub use families::{
    Classifier, DetectParams, Detector, Embedder, Family, Found, Given, MOST_ELEMENTS, Modality, Pooling,
    Prepared, RawModel, Scoring, Segment, SegmentMode, SegmentParams, Segmenter, family_names, normalised,
};
pub use folder::BESIDE;
pub use graph::{ElementType, GraphPort};
pub use layout::{GRAPHS, TOWERS, files_among, models_among};
pub use masks::{Planes, class_map};
pub use model::{LoaderSettings, Model, ModelInfo, ModelLoader, Prospect};
pub(crate) use overrides::MOST_SIDE;
pub use overrides::Overrides;
pub use preprocess::{ImageProcessor, Pixels};
pub use repository::{ModelFiles, Repository, download_folder, is_url, validate_model_id};
pub use runtime::{Runtime, RuntimeInfo, library_from_environment};
pub use serving::Serving;
pub use session::{
    BatchLimit, BatchReport, BySize, Closed, Inferred, LARGE_MODEL_BYTES, Pending, Relief, Rows,
    SessionSettings, SessionThread, Transfer,
};
pub use stamp::Stamp;
pub use tensor::{Elements, Tensor};
pub use texts::MOST_TEXT_BYTES;
