//! What a run is given, where it has to be fetched first.

pub(super) mod image_input;
