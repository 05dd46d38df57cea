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
    assert!(error.to_string().contains("Connection refused"), "{error}");
    assert!(!format!("{settings:?} {error} {error:?}").contains("secret"));
    // Whoever comes later, and waits longer, is told the same.
    let mut settings = settings;
    settings.acquire_timeout = Duration::from_millis(300);
    let store = millrace_store::Store::connect(&settings)?;
    for error in [store.migrate().await.err(), store.ping().await.err(), store.ping().await.err()] {
        let error = error.expect("nothing listens on port 1");
        assert!(error.is_unavailable() && error.to_string().contains("Connection refused"), "{error}");
    }
    let bad = millrace_store::Store::connect(&millrace_store::StoreSettings::new("://secret"));
    assert!(bad.is_err_and(|error| !error.to_string().contains("secret")));
    Ok(())
}

/// The tables have nothing to do with it.
#[tokio::test]
async fn a_wrong_password_and_a_missing_database_are_told_as_what_they_are() -> Result<()> {
    let postgres = TestPostgres::start().await?;
    let url = postgres.url();
    let (address, database) = url.rsplit_once('/').expect("a database");
    let (_, host) = address.split_once('@').expect("a password");
    let wrong = format!("postgres://millrace:wrong@{host}/{database}");
    for (url, words) in [(wrong, "the right ones"), (format!("{address}/nowhere"), "create it")] {
        let store = millrace_store::Store::connect(&millrace_store::StoreSettings::new(url))?;
        for error in [store.ping().await.err(), store.migrate().await.err()] {
            let error = error.expect("nobody is let in");
            assert!(error.is_unavailable() && error.to_string().contains(words), "{error}");
            assert!(!error.to_string().contains("migrations"), "{error}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn while_postgres_is_away_everybody_is_told_at_once() -> Result<()> {
    let mut fixture = Fixture::on(TestPostgres::start_alone().await?).await?;
    let store = &fixture.store;
    store.ping().await?;
    assert!(!store.is_away());
    fixture.postgres.server().expect("nobody shares it").kill().await;
    // Whoever comes first finds out, and that takes a moment.
    let begun = Instant::now();
    let refused = futures::future::join_all((0..50).map(|_| store.ping())).await;
    assert!(
        refused.iter().all(|refused| refused.as_ref().is_err_and(StoreError::is_unavailable)),
        "{refused:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?} to find out", begun.elapsed());
    eventually(Duration::from_secs(5), "it is known", async || {
        drop(store.ping().await);
        anyhow::Ok(store.is_away().then_some(()))
    })
    .await?;
    let begun = Instant::now();
    for _ in 0..1_000 {
        assert!(store.executions().oldest_unfinished().await.is_err_and(|error| error.is_unavailable()));
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?} for a thousand refusals", begun.elapsed());

    fixture.postgres.server().expect("nobody shares it").restart().await?;
    eventually(Duration::from_secs(5), "it is back", async || fixture.store.ping().await.map(Some)).await?;
    assert!(!fixture.store.is_away());
    Ok(())
}

/// Waiting for a connection that others use is no outage.
#[tokio::test]
async fn a_pool_that_is_in_use_is_waited_for() -> Result<()> {
    let postgres = TestPostgres::start().await?;
    let mut settings = millrace_store::StoreSettings::new(postgres.url());
    (settings.max_connections, settings.schema) = (1, Some("millrace".to_owned()));
    let store = millrace_store::Store::connect(&settings)?;
    store.migrate().await?;
    let fixture = Fixture::on(postgres).await?;
    let mut held = fixture.raw.begin().await?;
    sqlx::raw_sql("lock table wf_models in access exclusive mode").execute(&mut *held).await?;
    // The only connection of the one waits for the lock, for longer than an ordinary wait, and the ping for the connection.
    let models = store.models();
    let (mut reading, mut ping) = (Box::pin(models.list(None, None, 1)), Box::pin(store.ping()));
    let waited = tokio::time::timeout(Duration::from_millis(600), async {
        tokio::select! {
            // The one that is to have the connection asks for it first.
            biased;
            read = &mut reading => drop(read),
            pinged = &mut ping => drop(pinged),
        }
    });
    assert!(waited.await.is_err(), "both wait");
    held.rollback().await?;
    let (read, pinged) = tokio::join!(reading, ping);
    read?;
    pinged?;
    Ok(())
}
