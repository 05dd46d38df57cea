//! Bound runs give what plain ones give, number for number: here on the processor, with its own allocator.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join_all;
use half::f16;
use millrace_inference::{
    ElementType, Elements, GraphPort, InferenceError, Inferred, Model, SessionSettings, Tensor, Transfer,
};
use millrace_onnx::{Element, Graph, Side};

use crate::{goldens_folder, loader_of, root};

const FREE: [Side; 2] = [Side::Free("batch"), Side::Free("numbers")];
/// Longer than any of these tests takes.
const LONG: Duration = Duration::from_secs(60);
/// What the axes of pictures are where a graph leaves them open.
const SIDE: usize = 64;

/// One model, opened twice.
struct Both {
    plain: Model,
    bound: Model,
}

impl Both {
    async fn open(folder: &Path, sessions: SessionSettings) -> Result<Self, InferenceError> {
        let open = async |transfer| {
            let sessions = SessionSettings { transfer, ..sessions };
            loader_of(folder.to_owned(), sessions).load(&"m".into()).await
        };
        Ok(Self { plain: open(Transfer::Plain).await?, bound: open(Transfer::Bound).await? })
    }

    async fn of(graph: &Graph, sessions: SessionSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &graph.encode());
        Self::open(folder.path(), sessions).await.unwrap()
    }

    /// What both give; none when both refuse, with the same words.
    async fn agree(&self, inputs: Vec<Tensor>, alone: bool) -> Option<Vec<Tensor>> {
        let run = async |model: &Model| match alone {
            true => model.infer_alone(inputs.clone()).await,
            false => model.infer(inputs.clone()).await,
        };
        let outputs = |result: Result<Inferred, InferenceError>| {
            result.map(|inferred| inferred.outputs).map_err(|error| error.to_string())
        };
        let (plain, bound) = (outputs(run(&self.plain).await), outputs(run(&self.bound).await));
        // Compared as text where need be: NaN is no number's equal.
        assert!(plain == bound || format!("{plain:?}") == format!("{bound:?}"), "{plain:?}, {bound:?}");
        bound.ok()
    }
}

fn put(folder: &Path, graph: &[u8]) {
    std::fs::create_dir_all(folder.join("m")).unwrap();
    std::fs::write(folder.join("m/model.onnx"), graph).unwrap();
    // Whatever it is: numbers in, numbers out.
    std::fs::write(folder.join("m/millrace.toml"), "family = \"raw\"\n").unwrap();
}

fn of_one_node(operator: &str, element: Element, inputs: &[&str]) -> Graph {
    let mut graph = Graph::new("one-node");
    for name in inputs {
        graph.input(name, element, &FREE);
    }
    graph.output("out", element, &FREE).node(operator, inputs, "out", &[]);
    graph
}

/// Numbers that look random, and are ids of tokens where the graph wants whole ones.
fn given(port: &GraphPort, rows: usize) -> Option<Tensor> {
    let free = |axis| match (axis, port.shape.len()) {
        (0, _) => rows,
        (1, 4) => 3,
        (_, 4) => SIDE,
        _ => 8,
    };
    let extent = |(axis, side): (usize, &Option<usize>)| side.unwrap_or_else(|| free(axis));
    let shape: Vec<usize> = port.shape.iter().enumerate().map(extent).collect();
    let numbers = (0..shape.iter().product()).map(|at: usize| at * 7919 % 101);
    let fraction = |number: usize| number as f32 / 101.0;
    match port.element {
        ElementType::F32 => Tensor::of(shape, numbers.map(fraction).collect::<Vec<_>>()),
        ElementType::F16 => Tensor::of(shape, numbers.map(fraction).collect::<Vec<_>>()),
        ElementType::I64 => Tensor::of(shape, numbers.map(|number| number as i64 % 5).collect::<Vec<_>>()),
        ElementType::Bool => Tensor::of(shape, numbers.map(|number| number % 2 == 0).collect::<Vec<_>>()),
        _ => None,
    }
}

fn graphs_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            graphs_below(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "onnx") {
            found.push(entry);
        }
    }
}

#[tokio::test]
async fn every_graph_there_is_gives_the_same_both_ways() {
    let mut graphs = Vec::new();
    graphs_below(&root().join("models"), &mut graphs);
    graphs_below(&goldens_folder(), &mut graphs);
    // Made to run for ever.
    graphs.retain(|graph| {
        !graph.components().any(|part| part.as_os_str().to_string_lossy().starts_with("endless"))
    });
    graphs.sort();
    let mut ran = 0;
    for graph in &graphs {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &std::fs::read(graph).unwrap());
        // Texts and sequences are refused, whatever way.
        let Ok(both) = Both::open(folder.path(), SessionSettings::default()).await else { continue };
        for rows in [1, 3, 2] {
            let ports = both.plain.raw().unwrap().inputs();
            let inputs: Option<Vec<Tensor>> = ports.iter().map(|port| given(port, rows)).collect();
            let inputs = inputs.unwrap_or_else(|| panic!("{} takes what is not made here", graph.display()));
            let by_itself = both.agree(inputs.clone(), true).await;
            let batched = both.agree(inputs, false).await;
            ran += usize::from(by_itself.is_some()) + usize::from(batched.is_some());
        }
    }
    // Those that take pictures of one size only refuse others, in the same words.
    assert!(graphs.len() > 30 && ran > 4 * graphs.len(), "{ran} runs of {} graphs", graphs.len());
}

/// Rows of three numbers, each its own.
fn rows_from(element: Element, first: usize, rows: usize) -> Tensor {
    let numbers = (0..3 * rows).map(|at| 3 * first + at);
    let tensor = match element {
        Element::I64 => Tensor::of(vec![rows, 3], numbers.map(|number| number as i64).collect::<Vec<_>>()),
        _ => Tensor::new(vec![rows, 3], numbers.map(|number| number as f32).collect()),
    };
    tensor.unwrap()
}

#[tokio::test]
async fn requests_of_one_batch_each_get_their_own() {
    let sessions = SessionSettings { max_batch: 8, max_delay: LONG, ..SessionSettings::default() };
    for element in [Element::F32, Element::F16, Element::I64] {
        let both = Both::of(&of_one_node("Add", element, &["x", "y"]), sessions).await;
        for sizes in [&[8usize][..], &[1; 8], &[3, 5], &[8], &[2, 2, 4]] {
            for model in [&both.plain, &both.bound] {
                let firsts =
                    sizes.iter().scan(0, |below, rows| Some(std::mem::replace(below, *below + rows)));
                let run = async |(first, rows): (usize, usize)| {
                    let given = vec![rows_from(element, first, rows), rows_from(element, 0, rows)];
                    let inferred = model.infer(given).await.unwrap();
                    assert_eq!(inferred.batch.rows, 8, "all of them in one batch");
                    let sums = (0..3 * rows).map(|at| (3 * first + 2 * at) as f32);
                    match inferred.outputs[0].elements() {
                        Elements::F32(data) => assert!(data.iter().copied().eq(sums), "{data:?}"),
                        Elements::I64(data) => assert!(data.iter().map(|n| *n as f32).eq(sums), "{data:?}"),
                        other => panic!("{other:?}"),
                    }
                };
                join_all(firsts.zip(sizes.iter().copied()).map(run)).await;
            }
        }
    }
}

#[tokio::test]
async fn batches_grow_and_shrink_from_run_to_run() {
    for element in [Element::F32, Element::F16, Element::I64] {
        let both = Both::of(&of_one_node("Add", element, &["x", "y"]), SessionSettings::default()).await;
        for rows in [1, 8, 3, 8, 2, 1] {
            let given = vec![rows_from(element, rows, rows), rows_from(element, 7, rows)];
            let outputs = both.agree(given, false).await.unwrap();
            assert_eq!((outputs[0].rows(), outputs[0].elements().len()), (rows, 3 * rows));
        }
    }
}

#[tokio::test]
async fn half_precision_is_given_as_such_or_made() {
    let both = Both::of(&of_one_node("Neg", Element::F16, &["x"]), SessionSettings::default()).await;
    let numbers = [0.1f32, -65_504.0, 1e-7, 3.0e38];
    let made = both.agree(vec![Tensor::new(vec![2, 2], numbers.to_vec()).unwrap()], true).await.unwrap();
    let halves: Vec<f16> = numbers.iter().copied().map(f16::from_f32).collect();
    let negated: Vec<f16> = halves.iter().map(|half| -*half).collect();
    assert_eq!(made[0].elements(), &Elements::F16(negated));
    assert_eq!(both.agree(vec![Tensor::of(vec![2, 2], halves).unwrap()], true).await.unwrap(), made);
}

#[tokio::test]
async fn a_graph_with_rows_of_its_own_is_filled_up_with_zeros_each_time() {
    let mut graph = Graph::new("sum");
    graph.input("x", Element::F32, &[Side::Fixed(4), Side::Fixed(2)]);
    graph.output("rows", Element::F32, &[Side::Fixed(4), Side::Fixed(2)]);
    // What fills up would show in every row.
    graph.constant("ones", &[4, 4], &[1.0; 16]).node("MatMul", &["ones", "x"], "rows", &[]);
    let both = Both::of(&graph, SessionSettings::default()).await;
    for (rows, sums) in [(4, [12.0, 16.0]), (1, [0.0, 1.0]), (3, [6.0, 9.0])] {
        let x = Tensor::new(vec![rows, 2], (0..2 * rows).map(|at| at as f32).collect()).unwrap();
        let outputs = both.agree(vec![x], false).await.unwrap();
        assert_eq!((outputs[0].rows(), &outputs[0].data()[..2]), (rows, &sums[..]));
    }
}

#[tokio::test]
async fn outputs_are_as_large_as_the_run_makes_them() {
    // As many places as there are numbers that are not zero: no shape says so ahead.
    let mut graph = Graph::new("places");
    graph.input("x", Element::F32, &FREE).output("places", Element::I64, &[Side::Free("a"), Side::Free("b")]);
    graph.node("NonZero", &["x"], "places", &[]);
    let both = Both::of(&graph, SessionSettings::default()).await;
    for found in [3usize, 0, 40, 1, 0, 12] {
        let row: Vec<f32> = (0..50).map(|at| f32::from(u8::from(at < found))).collect();
        let outputs = both.agree(vec![Tensor::new(vec![1, 50], row).unwrap()], true).await.unwrap();
        assert_eq!(outputs[0].shape(), [2, found]);
        let places = vec![0i64; found].into_iter().chain(0..found as i64).collect();
        assert_eq!(outputs[0].elements(), &Elements::I64(places));
    }
}

#[tokio::test]
async fn a_run_that_fails_leaves_nothing_behind() {
    let both = Both::of(&of_one_node("Add", Element::F32, &["x", "y"]), SessionSettings::default()).await;
    let run = async |x: usize, y: usize| {
        let numbers = |count| Tensor::new(vec![1, count], (0..count).map(|at| at as f32).collect()).unwrap();
        both.agree(vec![numbers(x), numbers(y)], false).await.map(|outputs| outputs[0].data().to_vec())
    };
    // Neither is wrong by what the graph declares; together they cannot be added.
    for _ in 0..2 {
        assert_eq!(run(3, 3).await, Some(vec![0.0, 2.0, 4.0]));
        assert_eq!(run(3, 2).await, None);
        assert_eq!(run(2, 3).await, None);
        assert_eq!(run(2, 2).await, Some(vec![0.0, 2.0]));
    }
}

#[tokio::test]
async fn inputs_that_are_handed_through_unread_or_empty_are_no_trouble() {
    let mut graph = of_one_node("Identity", Element::F32, &["x"]);
    graph.input("unread", Element::F32, &FREE);
    let both = Both::of(&graph, SessionSettings::default()).await;
    let x = |numbers: &[f32]| Tensor::new(vec![1, numbers.len()], numbers.to_vec()).unwrap();
    let mut given = Vec::new();
    for numbers in [&[1.0, 2.0][..], &[3.0, 4.0], &[], &[5.0]] {
        let outputs = both.agree(vec![x(numbers), x(&[9.0])], true).await;
        given.push((outputs, x(numbers)));
    }
    // What was given out stays what it was, though the tensor it came in is another batch's by now.
    assert!(
        given.iter().all(|(outputs, x)| outputs.as_ref().is_none_or(|outputs| outputs[0] == *x)),
        "{given:?}"
    );
    assert!(given.iter().filter(|(outputs, _)| outputs.is_some()).count() >= 3, "{given:?}");
}
