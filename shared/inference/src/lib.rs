#![doc = include_str!("../README.md")]

mod bare;
mod cache;
mod error;
mod facts;
mod families;
mod graph;
mod literal;
mod model;
mod repository;
mod runtime;
mod serving;
mod session;
mod tensor;

pub use bare::Bare;
pub use cache::{
    CacheObserver, CacheReport, CacheSettings, Evicted, MemoryMeter, ModelCache, Pressure, ProcessMeter,
    Quiet, Warm, WarmModel,
};
pub use error::InferenceError;
pub use facts::{Companion, Facts, Part};
pub use families::{DetectParams, Detector, Family, Found, Prepared};
pub use graph::{ElementType, GraphPort};
pub use model::{LoaderSettings, Model, ModelInfo, ModelLoader};
pub use repository::{ModelFiles, Repository, download_folder, is_url, validate_model_id};
pub use runtime::{Runtime, RuntimeInfo, check, library_from_environment};
pub use serving::Serving;
pub use session::{BatchLimit, BatchReport, Closed, Inferred, Relief, SessionSettings, SessionThread};
pub use tensor::{Elements, Tensor};
