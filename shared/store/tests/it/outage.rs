use std::time::{Duration, Instant};

use anyhow::Result;
use millrace_store::{RecordBatch, StoreError};
use millrace_testkit::{TestPostgres, eventually};

use crate::story::Story;
use crate::support::Fixture;

#[tokio::test]
async fn postgres_may_go_and_come_back_while_recording() -> Result<()> {
    let mut fixture = Fixture::on(TestPostgres::start_alone().await?).await?;
    let stories: Vec<Story> = (0..30).map(|_| Story::completed()).collect();
    for (number, story) in stories.iter().enumerate() {
        if number == 10 {
            fixture.postgres.server().expect("nobody shares it").kill().await;
            let begun = Instant::now();
            let refused = fixture.store.record(&RecordBatch { events: story.events.clone() }).await;
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
            assert!(begun.elapsed() < Duration::from_secs(4), "an absent server is reported soon");
            fixture.postgres.server().expect("nobody shares it").restart().await?;
        }
        let batch = RecordBatch { events: story.events.clone() };
        eventually(Duration::from_secs(20), "the batch is recorded", async || {
            fixture.store.record(&batch).await.map(Some)
        })
        .await?;
    }
    assert_eq!(fixture.count("select count(*) from wf_events").await?, 150);
    assert_eq!(fixture.count("select count(distinct (execution_id, epoch, seq)) from wf_events").await?, 150);
    assert_eq!(fixture.count("select count(*) from wf_executions where status = 'completed'").await?, 30);
    Ok(())
}

#[tokio::test]
async fn a_store_starts_without_postgres_and_says_what_is_wrong() -> Result<()> {
    let settings = millrace_store::StoreSettings::new("postgres://nobody:secret@127.0.0.1:1/none");
    let store = millrace_store::Store::connect(&settings)?;
    let error = store.ping().await.expect_err("nothing listens on port 1");
    assert!(error.is_unavailable(), "{error}");
    assert!(!format!("{settings:?} {error} {error:?}").contains("secret"));
    let bad = millrace_store::Store::connect(&millrace_store::StoreSettings::new("://secret"));
    assert!(bad.is_err_and(|error| !error.to_string().contains("secret")));
    Ok(())
}
