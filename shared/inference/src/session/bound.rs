//! Runs by a binding, for devices with memory of their own: inputs are put together where the device fetches them by itself, and
//! outputs land where it puts them by itself, instead of being copied once more by the driver. Nothing stays bound beyond a run:
//! the next one may have other shapes, and its outputs others still.
//!
//! The tests run this way on the processor, with its own allocator. On a GPU it has never been run.

use millrace_contracts::ModelId;
use ort::session::{IoBinding, RunOptions, Session};
use ort::value::{DynTensor, TensorElementType};

use super::exchange::{Fault, fill, tensors_of};
use super::feed::Feed;
use crate::device::HostMemory;
use crate::graph::GraphPort;
use crate::{Device, Tensor};

/// What such runs need, kept from one to the next.
pub(super) struct Bound {
    id: ModelId,
    // Before the binding, which holds the session that their memory belongs to.
    /// The inputs of the last run, in their order. One of another shape takes the place of the last, whose memory goes back
    /// to the arena: that becomes as large as the largest batch, and goes with the session.
    buffers: Vec<Option<DynTensor>>,
    memory: HostMemory,
    binding: IoBinding,
    types: Vec<Option<TensorElementType>>,
    outputs: Vec<String>,
}

impl Bound {
    /// For runs of `session`, which runs on `device`. Where there is no pinned memory, ordinary memory is taken, and the log
    /// says so.
    pub(super) fn open(id: &ModelId, session: &Session, device: Device) -> Result<Self, ort::Error> {
        let (memory, why_not_pinned) = HostMemory::of(session, device)?;
        if let Some(why) = why_not_pinned {
            say_ordinary(id, &why);
        }
        let types = session.inputs().iter().map(|input| input.dtype().tensor_type()).collect();
        let outputs = session.outputs().iter().map(|output| output.name().to_owned()).collect();
        let (buffers, binding) = (Vec::new(), session.create_binding()?);
        Ok(Self { id: id.clone(), buffers, memory, binding, types, outputs })
    }

    /// One run.
    pub(super) fn run(
        &mut self,
        session: &mut Session,
        ports: &[GraphPort],
        feed: &Feed<'_>,
        options: &RunOptions,
    ) -> Result<Vec<Tensor>, Fault> {
        let bound = self.bind(session, ports, feed);
        let result = bound.map_err(Fault::Run).and_then(|()| self.collect(session, options));
        // Whatever came of it: what stays bound stays allocated, on the device too.
        self.binding.clear();
        result
    }

    fn bind(&mut self, session: &Session, ports: &[GraphPort], feed: &Feed<'_>) -> Result<(), ort::Error> {
        self.buffers.resize_with(ports.len(), || None);
        for (number, port) in ports.iter().enumerate() {
            let mut buffer = self.buffer(session, number, feed)?;
            fill(&mut buffer, port.element, (feed, number))?;
            self.binding.bind_input(&port.name, self.buffers[number].insert(buffer))?;
        }
        // By place, not by a tensor made ahead: only the run knows how large an output is.
        for name in &self.outputs {
            self.binding.bind_output_to_device(name, self.memory.outputs())?;
        }
        // Copies out of pinned memory are only queued.
        self.binding.synchronize_inputs()
    }

    fn collect(&self, session: &mut Session, options: &RunOptions) -> Result<Vec<Tensor>, Fault> {
        let outputs = session.run_binding_with_options(&self.binding, options)?;
        self.binding.synchronize_outputs()?;
        tensors_of(&outputs)
    }

    /// The tensor that an input is written to: the last run's, if it has the shape.
    fn buffer(&mut self, session: &Session, number: usize, feed: &Feed<'_>) -> Result<DynTensor, ort::Error> {
        let wanted = feed.shape(number).zip(self.types.get(number).copied().flatten());
        let (shape, element) = wanted.ok_or_else(|| ort::Error::new("an input of the graph is not given"))?;
        let fits =
            |buffer: &DynTensor| buffer.shape().iter().map(|&side| side as usize).eq(shape.iter().copied());
        if let Some(buffer) = self.buffers[number].take_if(|buffer| fits(buffer)) {
            return Ok(buffer);
        }
        // First given back, so that the arena has one of them at a time.
        self.buffers[number] = None;
        match self.memory.tensor(element, &shape) {
            Err(error) if self.memory.is_pinned() => {
                say_ordinary(&self.id, &error.to_string());
                self.memory = HostMemory::ordinary(session)?;
                self.memory.tensor(element, &shape)
            }
            tensor => tensor,
        }
    }

    /// Gives the kept inputs back to the arena; the next run takes memory anew.
    pub(super) fn release(&mut self) {
        self.buffers.clear();
    }

    /// Bytes of host memory that the session took for its inputs and outputs beyond what its arena on `device` counts.
    pub(super) fn bytes(&self, session: &Session, device: Device) -> u64 {
        let kept = || self.buffers.iter().flatten().filter_map(|buffer| buffer.size()).sum::<usize>() as u64;
        match device {
            // The same arena.
            Device::Cpu => 0,
            Device::Cuda(_) | Device::TensorRt(_) => self.memory.arena_bytes(session).unwrap_or_else(kept),
        }
    }
}

fn say_ordinary(id: &ModelId, why: &str) {
    tracing::warn!(model.id = %id, why, "no pinned memory for the model; its pictures cross in ordinary memory, which is slower");
}

#[cfg(test)]
mod tests {
    use millrace_onnx::{Element, Graph, Side};

    use super::*;
    use crate::{Runtime, library_from_environment};

    /// The version that the set-up script fetches.
    const ORT_VERSION: &str = "1.31.1";
    /// Numbers of one row: 4 MiB.
    const NUMBERS: usize = 1 << 20;

    fn session() -> Session {
        let mut graph = Graph::new("largest");
        graph.input("x", Element::F32, &[Side::Free("batch"), Side::Fixed(NUMBERS)]);
        graph.output("most", Element::F32, &[Side::Free("batch"), Side::Free("one")]);
        graph.node("ReduceMax", &["x"], "most", &[("axes", millrace_onnx::Attribute::Ints(&[1]))]);
        let runtime = Runtime::load(&library_from_environment(ORT_VERSION).unwrap()).unwrap();
        Session::builder(runtime.environment()).unwrap().commit_from_memory(&graph.encode()).unwrap()
    }

    fn run(bound: &mut Bound, session: &mut Session, rows: usize) {
        let ports: Vec<GraphPort> = session.inputs().iter().map(GraphPort::from).collect();
        let inputs = [Tensor::new(vec![rows, NUMBERS], vec![rows as f32; rows * NUMBERS]).unwrap()];
        let outputs = bound.run(session, &ports, &Feed::alone(&inputs), &RunOptions::new().unwrap());
        let outputs = outputs.map_err(|_| "the run failed").unwrap();
        assert_eq!(outputs[0].data(), vec![rows as f32; rows]);
    }

    #[test]
    fn where_nothing_can_be_pinned_ordinary_memory_serves_and_is_counted() {
        let mut session = session();
        // No session on the processor has an allocator for a GPU's pinned memory.
        let mut bound = Bound::open(&"m".into(), &session, Device::Cuda(0)).unwrap();
        let (_, why) = HostMemory::of(&session, Device::Cuda(0)).unwrap();
        assert!(!bound.memory.is_pinned() && why.is_some_and(|why| !why.is_empty()));
        run(&mut bound, &mut session, 2);
        assert!(bound.bytes(&session, Device::Cuda(0)) >= 2 * 4 * NUMBERS as u64);
        assert_eq!(bound.bytes(&session, Device::Cpu), 0, "the session's own arena counts it");
    }

    #[test]
    fn pinned_memory_that_runs_out_is_done_without() {
        let mut session = session();
        let mut bound = Bound::open(&"m".into(), &session, Device::Cpu).unwrap();
        bound.memory = bound.memory.feigning_pinned();
        run(&mut bound, &mut session, 1);
        assert!(bound.memory.is_pinned());
        let row = [Tensor::new(vec![1, NUMBERS], vec![0.0; NUMBERS]).unwrap()];
        // Some petabytes: neither kind of memory has them.
        let too_much = Feed::stacked(std::iter::once(&row[..]), 1 << 30);
        assert!(bound.buffer(&session, 0, &too_much).is_err());
        assert!(!bound.memory.is_pinned());
        run(&mut bound, &mut session, 2);
    }

    #[test]
    fn memory_is_kept_while_the_shape_stays_and_grows_no_further_than_the_largest_batch() {
        let mut session = session();
        let mut bound = Bound::open(&"m".into(), &session, Device::Cpu).unwrap();
        let place = |bound: &Bound| bound.buffers[0].as_ref().unwrap().data_ptr();
        let arena =
            |session: &Session| millrace_arena::arena_bytes(session, ort::memory::AllocationDevice::CPU, 0);
        run(&mut bound, &mut session, 3);
        let first = place(&bound);
        run(&mut bound, &mut session, 3);
        assert_eq!(place(&bound), first);
        run(&mut bound, &mut session, 8);
        let most = arena(&session).unwrap();
        for rows in [1, 8, 5, 2, 7, 8, 1, 3] {
            run(&mut bound, &mut session, rows);
        }
        assert_eq!(arena(&session), Some(most));
        bound.release();
        assert!(bound.buffers.is_empty());
        run(&mut bound, &mut session, 4);
    }
}
