//! Vectors: kept, replaced, found, and bounded. With pgvector or without, whichever the server has; the output says which.
#![expect(clippy::print_stderr, reason = "a test says which of the two it ran with")]

use anyhow::Result;
use futures::{StreamExt, TryStreamExt};
use millrace_contracts::BlobId;
use millrace_store::{
    Bounded, CollectionLimits, Collections, Metric, Nearest, NewCollection, Point, PointsPut, StoreError,
    VectorFault,
};
use serde_json::{Map, Value, json};

use crate::support::Fixture;

const ROOMY: CollectionLimits = CollectionLimits { points: 1_000_000, scanned: 100_000_000 };

fn new(name: &str, dimension: u32, metric: Metric) -> NewCollection {
    NewCollection { name: name.to_owned(), dimension, metric }
}

#[expect(clippy::needless_pass_by_value, reason = "callers write literals")]
fn fields(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn point(id: &str, vector: &[f32], payload: Value) -> Point {
    Point { id: id.to_owned(), vector: vector.to_vec(), payload: fields(payload) }
}

fn near(vector: &[f32], top_k: u32) -> Nearest {
    Nearest { vector: vector.to_vec(), top_k, min_score: None, filter: Map::new() }
}

async fn ids(collections: Collections<'_>, name: &str, wanted: &Nearest) -> Result<Vec<String>> {
    Ok(collections.search(name, wanted).await?.into_iter().map(|one| one.id).collect())
}

/// Makes a collection, and says how it is searched.
async fn made(collections: Collections<'_>, new: &NewCollection) -> Result<bool> {
    let (record, made) = collections.create(new, 10).await?;
    assert!(made && record.points == 0);
    eprintln!("{}: searched {}", new.name, if record.indexed { "by pgvector" } else { "without an index" });
    Ok(record.indexed)
}

#[tokio::test]
async fn the_nearest_are_found_by_direction_score_and_payload() -> Result<()> {
    let fixture = Fixture::start().await?;
    let pets = fixture.store.collections();
    made(pets, &new("pets", 2, Metric::Cosine)).await?;
    let points = [
        point("cat", &[2.0, 0.0], json!({"kind": "cat", "tags": ["a", "b"], "odd": "nul \u{0}"})),
        point("lynx", &[0.6, 0.8], json!({"kind": "cat"})),
        point("dog", &[0.0, 0.5], json!({"kind": "dog"})),
        point("dog", &[0.0, 3.0], json!({"kind": "dog", "again": true})),
        point("anti", &[-1.0, 0.0], json!({})),
    ];
    let put = pets.put_points("pets", &points, &ROOMY).await?;
    assert_eq!(put, PointsPut { added: 4, replaced: 0 });
    let put = pets.put_points("pets", &points, &ROOMY).await?;
    assert_eq!(put, PointsPut { added: 0, replaced: 4 }, "twice is once");
    assert_eq!(pets.get("pets").await?.points, 4);

    let found = pets.search("pets", &near(&[10.0, 0.0], 10)).await?;
    let scores: Vec<_> = found.iter().map(|one| (one.id.as_str(), (one.score * 1e6).round())).collect();
    assert_eq!(scores, [("cat", 1e6), ("lynx", 6e5), ("dog", 0.0), ("anti", -1e6)]);
    assert_eq!(found[2].payload, json!({"kind": "dog", "again": true}), "of one id the last counts");
    assert_eq!(found[0].payload["odd"], "nul \u{fffd}");
    assert_eq!(ids(pets, "pets", &near(&[1.0, 0.0], 1)).await?, ["cat"]);
    let good = Nearest { min_score: Some(0.5), ..near(&[1.0, 0.0], 10) };
    assert_eq!(ids(pets, "pets", &good).await?, ["cat", "lynx"]);
    for (filter, expected) in [
        (json!({"kind": "dog"}), &["dog"][..]),
        (json!({"tags": ["b"]}), &["cat"]),
        (json!({"kind": "cat"}), &["cat", "lynx"]),
        (json!({"kind": "bird"}), &[]),
    ] {
        let wanted = Nearest { filter: fields(filter), ..near(&[1.0, 0.0], 10) };
        assert_eq!(ids(pets, "pets", &wanted).await?, expected);
    }

    let stored = pets.get_point("pets", "dog").await?;
    assert_eq!(stored, point("dog", &[0.0, 1.0], json!({"kind": "dog", "again": true})), "of length one");
    pets.delete_point("pets", "cat").await?;
    assert!(matches!(pets.delete_point("pets", "cat").await, Err(StoreError::NotFound("point"))));
    assert!(matches!(pets.get_point("pets", "cat").await, Err(StoreError::NotFound("point"))));
    assert_eq!(pets.get("pets").await?.points, 3);
    assert_eq!(ids(pets, "pets", &near(&[1.0, 0.0], 1)).await?, ["lynx"]);
    Ok(())
}

#[tokio::test]
async fn by_the_inner_product_longer_vectors_are_nearer() -> Result<()> {
    let fixture = Fixture::start().await?;
    let all = fixture.store.collections();
    made(all, &new("loud", 3, Metric::Dot)).await?;
    let points = [point("a", &[1.0, 0.0, 0.0], json!({})), point("b", &[3.0, 4.0, 0.0], json!({}))];
    all.put_points("loud", &points, &ROOMY).await?;
    let found = all.search("loud", &near(&[2.0, 0.0, 0.0], 5)).await?;
    let scores: Vec<_> = found.iter().map(|one| (one.id.as_str(), one.score)).collect();
    assert_eq!(scores, [("b", 6.0), ("a", 2.0)]);
    assert_eq!(all.get_point("loud", "b").await?.vector, [3.0, 4.0, 0.0]);
    Ok(())
}

#[tokio::test]
async fn many_points_are_found_as_by_looking_at_each() -> Result<()> {
    let fixture = Fixture::start().await?;
    let all = fixture.store.collections();
    let indexed = made(all, &new("many", 8, Metric::Cosine)).await?;
    // Scattered by a multiplication, so that every run of the test is the same.
    let number = |seed: u32| (seed.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32 - 0.5;
    let vector = |point: u32| (0..8).map(|place| number(point * 8 + place + 1)).collect::<Vec<f32>>();
    let points: Vec<_> = (0..3_000)
        .map(|id| point(&format!("{id:04}"), &vector(id), json!({"rare": id % 100 == 7, "id": id})))
        .collect();
    for some in points.chunks(1_000) {
        assert_eq!(all.put_points("many", some, &ROOMY).await?.added, 1_000);
    }
    let unit = |vector: &[f32]| {
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        vector.iter().map(|number| number / length).collect::<Vec<f32>>()
    };
    let (mut hits, mut wanted) = (0, 0);
    for query in 0..20 {
        let looked_for = vector(10_000 + query);
        let score = |point: &Point| -> f32 {
            unit(&point.vector).iter().zip(unit(&looked_for)).map(|(a, b)| a * b).sum()
        };
        let mut truth: Vec<&Point> = points.iter().collect();
        truth.sort_by(|one, other| score(other).total_cmp(&score(one)));
        let found = ids(all, "many", &near(&looked_for, 50)).await?;
        assert_eq!(found.len(), 50);
        hits += truth[..50].iter().filter(|point| found.contains(&point.id)).count();
        wanted += 50;
        // Thirty pass; an index that gives up early would find fewer.
        let rare = Nearest { filter: fields(json!({"rare": true})), ..near(&looked_for, 40) };
        let found = ids(all, "many", &rare).await?;
        let expected: Vec<&str> = truth
            .iter()
            .filter(|point| point.payload["rare"] == true)
            .map(|point| point.id.as_str())
            .collect();
        assert_eq!(found, expected);
    }
    let recall = hits as f64 / wanted as f64;
    eprintln!("recall {recall}");
    assert!(if indexed { recall > 0.95 } else { hits == wanted }, "recall {recall}");
    // As many as one search may give, which is more than an index looks at by itself.
    assert_eq!(ids(all, "many", &near(&vector(1), Nearest::MAX_TOP_K)).await?.len(), 1_000);
    Ok(())
}

#[tokio::test]
async fn a_collection_is_made_once_and_goes_with_its_points() -> Result<()> {
    let fixture = Fixture::start().await?;
    let all = fixture.store.collections();
    made(all, &new("one", 4, Metric::Cosine)).await?;
    let again = all.create(&new("one", 4, Metric::Cosine), 10).await?;
    assert!(!again.1);
    for other in [new("one", 5, Metric::Cosine), new("one", 4, Metric::Dot)] {
        let other = all.create(&other, 10).await;
        assert!(
            matches!(&other, Err(StoreError::Conflict { constraint }) if constraint == "wf_collections_pkey")
        );
    }
    // Beyond what the extension indexes.
    let (wide, _) = all.create(&new("wide", Collections::MAX_DIMENSION, Metric::Cosine), 2).await?;
    assert!(!wide.indexed);
    let full = all.create(&new("three", 4, Metric::Cosine), 2).await;
    assert!(matches!(full, Err(StoreError::Full { what: Bounded::Collections, limit: 2 })));
    assert!(!all.create(&new("one", 4, Metric::Cosine), 2).await?.1, "what is there is no new one");
    let names: Vec<_> = all.list(10).await?.into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["one", "wide"]);

    all.put_points("one", &[point("a", &[1.0, 0.0, 0.0, 0.0], json!({}))], &ROOMY).await?;
    all.delete("one").await?;
    assert!(matches!(all.delete("one").await, Err(StoreError::NotFound("collection"))));
    assert!(matches!(all.get("one").await, Err(StoreError::NotFound("collection"))));
    let nowhere = all.search("one", &near(&[1.0, 0.0, 0.0, 0.0], 1)).await;
    assert!(matches!(nowhere, Err(StoreError::NotFound("collection"))));
    let nowhere = all.put_points("one", &[], &ROOMY).await;
    assert!(matches!(nowhere, Err(StoreError::NotFound("collection"))));
    assert_eq!(all.create(&new("one", 4, Metric::Cosine), 2).await?.0.points, 0, "another one of the name");
    let tables = "select count(*) from pg_tables where tablename like 'wf\\_points\\_%'";
    assert_eq!(fixture.count(tables).await?, 2);

    // As a search sees it that began before the collection was deleted.
    let table = "select number from wf_collections where name = 'one'";
    let table = format!("drop table wf_points_{}", fixture.count(table).await?);
    fixture.execute(&table).await?;
    let gone = all.search("one", &near(&[1.0, 0.0, 0.0, 0.0], 1)).await;
    assert!(matches!(gone, Err(StoreError::NotFound("collection"))), "{gone:?}");
    all.delete("one").await?;
    Ok(())
}

#[tokio::test]
async fn what_does_not_fit_changes_nothing() -> Result<()> {
    let fixture = Fixture::start().await?;
    let all = fixture.store.collections();
    let indexed = made(all, &new("small", 2, Metric::Cosine)).await?;
    let good = point("a", &[1.0, 0.0], json!({}));
    for (vector, fault) in [
        (vec![1.0, 2.0, 3.0], VectorFault::Dimension { wanted: 2, found: 3 }),
        (vec![0.0, 0.0], VectorFault::NoDirection),
        (vec![f32::NAN, 0.0], VectorFault::NotFinite),
        (vec![f32::INFINITY, 0.0], VectorFault::NotFinite),
    ] {
        let put = all.put_points("small", &[good.clone(), point("b", &vector, json!({}))], &ROOMY).await;
        assert!(
            matches!(&put, Err(StoreError::Vector { position: 1, fault: found }) if *found == fault),
            "{put:?}"
        );
        let found = all.search("small", &near(&vector, 1)).await;
        assert!(matches!(&found, Err(StoreError::Vector { position: 0, fault: found }) if *found == fault));
    }
    assert_eq!(all.get("small").await?.points, 0, "all or none");

    let two = CollectionLimits { points: 2, ..ROOMY };
    let three = ["a", "b", "c"].map(|id| point(id, &[1.0, 0.0], json!({})));
    let full = all.put_points("small", &three, &two).await;
    assert!(matches!(full, Err(StoreError::Full { what: Bounded::Points, limit: 2 })), "{full:?}");
    assert_eq!(all.put_points("small", &three[..2], &two).await?.added, 2);
    assert_eq!(
        all.put_points("small", &three[1..2], &two).await?.replaced,
        1,
        "replacing is always possible"
    );
    let scanned = CollectionLimits { scanned: 5, ..ROOMY };
    let more = all.put_points("small", &three[2..], &scanned).await;
    if indexed {
        assert_eq!(more?.added, 1, "an index does not look at each");
    } else {
        let full = matches!(more, Err(StoreError::Full { what: Bounded::PointsWithoutIndex, limit: 2 }));
        assert!(full, "{more:?}");
    }
    Ok(())
}

#[tokio::test]
async fn writers_of_one_collection_take_turns() -> Result<()> {
    let fixture = Fixture::start().await?;
    let all = fixture.store.collections();
    made(all, &new("busy", 2, Metric::Cosine)).await?;
    let batch = |start: u32| -> Vec<Point> {
        // Half of each batch is in the next one too, in the other order.
        let mut ids: Vec<u32> = (start * 10..start * 10 + 20).collect();
        if start % 2 == 1 {
            ids.reverse();
        }
        ids.into_iter().map(|id| point(&id.to_string(), &[1.0, id as f32], json!({}))).collect()
    };
    let batches: Vec<_> = (0..8).map(batch).collect();
    let puts = batches.iter().map(|points| all.put_points("busy", points, &ROOMY));
    let done: Vec<PointsPut> = futures::stream::iter(puts).buffer_unordered(3).try_collect().await?;
    assert_eq!(done.iter().map(|put| put.added).sum::<u64>(), 90);
    assert_eq!(all.get("busy").await?.points, 90);
    assert_eq!(ids(all, "busy", &near(&[1.0, 0.0], 100)).await?.len(), 90);
    Ok(())
}

#[tokio::test]
async fn what_payloads_refer_to_is_kept_as_long_as_the_collection() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (faces, blob) = (fixture.store.collections(), BlobId::of(b"a face"));
    made(faces, &new("faces", 1, Metric::Dot)).await?;
    let face = point("one", &[1.0], json!({"picture": {"kind": "image", "blob": blob}}));
    faces.put_points("faces", std::slice::from_ref(&face), &ROOMY).await?;
    faces.put_points("faces", &[face], &ROOMY).await?;
    assert!(fixture.store.blob_uses().in_use(&[blob]).await?.contains(&blob));
    faces.delete("faces").await?;
    assert!(fixture.store.blob_uses().in_use(&[blob]).await?.is_empty());
    Ok(())
}
