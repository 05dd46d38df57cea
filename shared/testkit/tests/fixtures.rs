//! The fixtures are fresh, apart, and gone afterwards.

use std::time::{Duration, Instant};

use millrace_testkit::{TestPostgres, TestRedis, eventually};

#[tokio::test]
async fn every_redis_is_its_own() {
    let begun = Instant::now();
    let one = TestRedis::start().await.unwrap();
    println!("redis: {:?}", begun.elapsed());
    let two = TestRedis::start().await.unwrap();
    let client = redis::Client::open(one.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("SET").arg("x").arg(1).query_async::<()>(&mut connection).await.unwrap();
    let client = redis::Client::open(two.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let found: Option<i64> = redis::cmd("GET").arg("x").query_async(&mut connection).await.unwrap();
    assert_eq!(found, None);
}

#[tokio::test]
async fn every_database_is_its_own_and_a_lone_server_can_be_killed() {
    let begun = Instant::now();
    let mut one = TestPostgres::start().await.unwrap();
    println!("first database: {:?}", begun.elapsed());
    let begun = Instant::now();
    let two = TestPostgres::start().await.unwrap();
    println!("second database: {:?}", begun.elapsed());
    assert_ne!(one.url(), two.url());
    assert!(one.server().is_none());
    drop(two);
    let mut alone = TestPostgres::start_alone().await.unwrap();
    let url = alone.url();
    let server = alone.server().expect("nobody else uses it");
    server.kill().await;
    let begun = Instant::now();
    server.restart().await.unwrap();
    println!("restart after a kill: {:?}", begun.elapsed());
    // The port is the same unless another took it meanwhile.
    let database = |url: &str| url.rsplit_once('/').map(|(_, name)| name.to_owned());
    assert_eq!(database(&alone.url()), database(&url));
}

#[tokio::test]
async fn waiting_ends_with_the_deadline_and_says_for_what() {
    let mut left = 3;
    let found = eventually(Duration::from_secs(5), "a countdown", async || {
        left -= 1;
        Ok::<_, std::io::Error>((left == 0).then_some("done"))
    });
    assert_eq!(found.await.unwrap(), "done");
    let never = eventually(Duration::from_millis(30), "the end of time", async || {
        Err::<Option<()>, _>(std::io::Error::other("not yet"))
    });
    let fault = never.await.unwrap_err().to_string();
    assert!(fault.contains("the end of time") && fault.contains("not yet"), "{fault}");
}
