//! Invariant 4: the orchestrator may die at any moment, as often as it likes.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::load::{ATTEMPTS, Pictures, all_ended, busy, submit};
use crate::roles::Site;
use crate::{check, size};

#[tokio::test]
async fn kill_9_of_the_orchestrator_loses_nothing_and_does_nothing_twice() -> anyhow::Result<()> {
    let (runs, kills) = (size(200, 2_000), size(20, 200));
    let site = Site::start().await?;
    let (_api, _writer, _worker) = (site.api()?, site.writer()?, site.worker()?);
    let mut orchestrator = site.orchestrator()?;
    let (client, record) = (site.client().await?, check::record(&site.postgres.url()).await?);
    let pictures = Pictures::upload(&client).await?;
    let workflow = client.save(&busy()).await?;
    let begun = Instant::now();
    let input =
        |number: usize| json!({"photo": pictures.sound, "broken_photo": pictures.broken, "n": number});
    let submitted = async { submit(&client, &workflow, runs, input).await };
    let killed = async {
        for number in 0..kills {
            // Every moment is as good as any other: the pauses only make them different moments.
            tokio::time::sleep(Duration::from_millis(200 + 67 * (number as u64 % 11))).await;
            let next = site.orchestrator()?;
            std::mem::replace(&mut orchestrator, next).kill()?;
        }
        anyhow::Ok(())
    };
    let (submitted, killed) = tokio::join!(submitted, killed);
    let submitted = submitted?;
    killed?;
    let last_kill = begun.elapsed();
    all_ended(&record, runs, Duration::from_secs(60 + runs as u64 / 4)).await?;
    eprintln!("{runs} runs, {kills} kills in {last_kill:.1?}, all ended after {:.1?}", begun.elapsed());
    check::all_is_well(&record).await?;
    let tried: (i64, i64) = sqlx::query_as(
        "select count(*) filter (where attempt <> $1), count(*) from wf_node_runs where node_id = 'broken'",
    )
    .bind(ATTEMPTS as i32)
    .fetch_one(&record)
    .await?;
    assert_eq!(tried, (0, runs as i64), "every failing job was tried {ATTEMPTS} times");
    let sample: Vec<String> = submitted.into_iter().step_by(10).collect();
    check::streams_are_well(&client, &sample).await
}
