use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use millrace_bus::{Inbox, LineLimit, LineNews, Standing};
use millrace_contracts::job::Priority;
use millrace_contracts::message::{Accepted, Message};
use millrace_contracts::{ExecutionId, Flow, Partition, UnixMillis};
use proptest::prelude::{Strategy, prop};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::{Fixture, accepted, read_messages, step};

const AT_ONCE: Duration = Duration::ZERO;
const LATER: Duration = Duration::from_secs(3600);

/// A line with its reader of inboxes.
struct Line {
    fixture: Fixture,
    inbox: Inbox,
    partitions: Vec<Partition>,
}

impl Line {
    async fn start(running: u64, reserve: u64) -> Result<Self> {
        let fixture = Fixture::start().await?;
        fixture.bus.limit_line(LineLimit { running, reserve }).await?;
        let inbox = fixture.bus.inbox("o1").await?;
        let partitions = fixture.bus.all_partitions().collect();
        Ok(Self { fixture, inbox, partitions })
    }

    async fn submit(&self, flow: u8, priority: Priority) -> Result<ExecutionId> {
        self.submit_weighted(flow, priority, 1).await
    }

    async fn submit_weighted(&self, flow: u8, priority: Priority, weight: u8) -> Result<ExecutionId> {
        let run = of_flow(flow, priority, weight);
        self.fixture.bus.execute(&run).await?;
        Ok(run.execution_id)
    }

    /// Runs whose messages have come since the last look; they are acknowledged.
    async fn arrived(&mut self) -> Result<Vec<ExecutionId>> {
        let mut runs = Vec::new();
        loop {
            let found = self.inbox.read(&self.partitions, 1_000, Duration::ZERO).await?;
            if found.is_empty() {
                return Ok(runs);
            }
            for delivery in found {
                let Message::Execute(accepted) = delivery.message else { continue };
                runs.push(accepted.execution_id);
                self.fixture.bus.ack("o1", &[(delivery.partition, delivery.entry)]).await?;
            }
        }
    }

    async fn tell(&self, news: LineNews) -> Result<()> {
        self.fixture.bus.leave_line(&news).await?;
        Ok(())
    }

    async fn end(&self, runs: &[ExecutionId]) -> Result<()> {
        self.tell(LineNews { ended: runs.to_vec(), ..LineNews::default() }).await
    }
}

fn of_flow(flow: u8, priority: Priority, weight: u8) -> Accepted {
    let workflow = format!("00000000-0000-7000-8000-{flow:012}").parse().expect("it is an id");
    Accepted { workflow_id: Some(workflow), priority, weight, ..accepted(ExecutionId::generate()) }
}

#[tokio::test]
async fn runs_beyond_the_limit_wait_in_order_and_visibly() -> Result<()> {
    let mut line = Line::start(2, 0).await?;
    let mut runs = Vec::new();
    for _ in 0..5 {
        runs.push(line.submit(0, Priority::Normal).await?);
    }
    let mut first = line.arrived().await?;
    first.sort();
    assert_eq!(first, runs[..2]);
    let bus = line.fixture.bus.clone();
    for (ahead, run) in runs[2..].iter().enumerate() {
        let place = bus.place_in_line(*run).await?.expect("it waits");
        assert_eq!((place.position, place.ahead_of_flow), (ahead as u64 + 1, ahead as u64));
        assert!(place.waiting_ms < 60_000);
    }
    assert_eq!(bus.place_in_line(runs[0]).await?, None);
    let view = bus.line(10).await?;
    assert_eq!((view.running, view.limit, view.waiting), (2, 2, 3));
    assert_eq!((view.flows.len(), view.flows[0].waiting, view.flows[0].running), (1, 3, 2));
    assert!(view.oldest_ms.is_some());

    for (ended, next) in [(0, 2), (1, 3), (2, 4)] {
        line.end(&[runs[ended]]).await?;
        line.end(&[runs[ended]]).await?;
        assert_eq!(line.arrived().await?, [runs[next]], "leaving twice admits one");
    }
    line.tell(LineNews { begun: runs.clone(), ended: runs, ..LineNews::default() }).await?;
    assert_eq!(line.fixture.ask::<Vec<String>>("KEYS {mr:line}*").await?, ["{mr:line}:settings"]);
    Ok(())
}

#[tokio::test]
async fn a_run_that_rests_gives_its_place_to_the_next_and_counts_again_when_it_goes_on() -> Result<()> {
    let mut line = Line::start(1, 0).await?;
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(line.submit(0, Priority::Normal).await?);
    }
    assert_eq!(line.arrived().await?, runs[..1]);
    let flow = Flow::of(&of_flow(0, Priority::Normal, 1));
    let going_on = LineNews { going_on: vec![(runs[0], flow)], ..LineNews::default() };
    line.tell(going_on.clone()).await?;
    assert_eq!(line.fixture.bus.line(1).await?.running, 1, "it never rested");

    for _ in 0..2 {
        line.tell(LineNews { begun: runs[..1].to_vec(), resting: runs[..1].to_vec(), ..LineNews::default() })
            .await?;
        assert_eq!(line.fixture.bus.line(1).await?.running, 1, "the next took its place");
    }
    assert_eq!(line.arrived().await?, runs[1..2]);
    line.tell(going_on.clone()).await?;
    line.tell(going_on).await?;
    assert_eq!(line.fixture.bus.line(1).await?.running, 2, "it goes on beyond the limit, counted once");
    line.end(&runs[1..2]).await?;
    assert!(line.arrived().await?.is_empty(), "nobody comes in before the limit holds again");
    line.end(&runs[..1]).await?;
    assert_eq!(line.arrived().await?, runs[2..]);
    line.end(&runs[2..]).await?;
    assert_eq!(line.fixture.ask::<Vec<String>>("KEYS {mr:line}*").await?, ["{mr:line}:settings"]);
    Ok(())
}

#[tokio::test]
async fn flows_with_nothing_under_way_pass_the_limit_by_the_reserve() -> Result<()> {
    let mut line = Line::start(2, 2).await?;
    for _ in 0..100 {
        line.submit(0, Priority::Normal).await?;
    }
    assert_eq!(line.arrived().await?.len(), 2);
    let newcomers = [line.submit(1, Priority::Normal).await?, line.submit(2, Priority::Low).await?];
    let mut arrived = line.arrived().await?;
    arrived.sort();
    assert_eq!(arrived, newcomers);
    // The reserve is used up, and a second run of a flow is no newcomer.
    let third = line.submit(3, Priority::Normal).await?;
    let second_of_first = line.submit(1, Priority::Normal).await?;
    assert_eq!(line.arrived().await?, []);
    line.end(&[newcomers[1]]).await?;
    assert_eq!(line.arrived().await?, [third], "a newcomer that waited gets the reserve first");
    assert!(line.fixture.bus.place_in_line(second_of_first).await?.expect("it waits").position <= 3);
    Ok(())
}

#[tokio::test]
async fn an_urgent_run_is_next_and_the_others_keep_their_shares() -> Result<()> {
    let mut line = Line::start(1, 0).await?;
    let mut running = line.submit(9, Priority::High).await?;
    let mut priorities = HashMap::new();
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        for _ in 0..200 {
            priorities.insert(line.submit(priority as u8, priority).await?, priority);
        }
    }
    line.arrived().await?;
    let mut admitted: HashMap<Priority, usize> = HashMap::new();
    for turn in 0..160 {
        line.end(&[running]).await?;
        let arrived = line.arrived().await?;
        assert_eq!(arrived.len(), 1);
        running = arrived[0];
        let priority = priorities[&running];
        assert!(turn > 0 || priority == Priority::High, "the most urgent goes first");
        *admitted.entry(priority).or_default() += 1;
    }
    assert!(admitted[&Priority::High] >= 120, "{admitted:?}");
    assert!(admitted[&Priority::Normal] >= 15, "{admitted:?}");
    assert!(admitted[&Priority::Low] >= 8, "{admitted:?}");
    Ok(())
}

/// Whoever always has runs waiting is admitted by its weight over any stretch, to within one round.
#[tokio::test]
async fn flows_are_admitted_by_their_weights_over_any_stretch() -> Result<()> {
    let mut runner = TestRunner::deterministic();
    let cases = (prop::collection::vec(1_u8..=16, 2..5), 1_usize..6);
    for _ in 0..6 {
        let (weights, limit) = cases.new_tree(&mut runner).expect("a case").current();
        let mut line = Line::start(limit as u64, 0).await?;
        let mut flows = HashMap::new();
        for _ in 0..limit {
            line.submit(99, Priority::Normal).await?;
        }
        let mut running = line.arrived().await?;
        for _ in 0..120 {
            for (flow, weight) in weights.iter().enumerate() {
                flows.insert(line.submit_weighted(flow as u8, Priority::Normal, *weight).await?, flow);
            }
        }
        let mut admitted = Vec::new();
        while admitted.len() < 100 {
            line.end(&running).await?;
            running = line.arrived().await?;
            assert_eq!(running.len(), limit);
            admitted.extend(running.iter().map(|run| flows[run]));
        }
        let round: usize = weights.iter().copied().map(usize::from).sum();
        for (flow, weight) in weights.iter().enumerate() {
            let got = admitted.iter().filter(|admitted| **admitted == flow).count() as f64;
            let due = admitted.len() as f64 * f64::from(*weight) / round as f64;
            assert!(
                (got - due).abs() <= f64::from(*weight) + 1.0,
                "flow {flow} of {weights:?}: {got}, due {due}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_run_that_was_admitted_and_not_sent_is_sent_again_until_it_has_begun() -> Result<()> {
    let mut line = Line::start(2, 0).await?;
    let bus = line.fixture.bus.clone();
    let lost = of_flow(0, Priority::Normal, 1);
    let run = lost.execution_id;
    let inbox = format!("{{mr:p{}}}:inbox", bus.partition_of(run));
    line.arrived().await?;
    line.fixture.ask::<()>(&format!("DEL {inbox}")).await?;
    line.fixture.ask::<()>(&format!("SET {inbox} taken")).await?;
    assert!(bus.execute(&lost).await.is_err(), "the inbox refuses the message");
    line.fixture.ask::<()>(&format!("DEL {inbox}")).await?;
    assert_eq!(bus.standings(&[run]).await?, [Standing::InLine]);
    assert_eq!(bus.run_in_line(run).await?, Some(lost.clone()));

    bus.mend_line(LATER, LATER).await?;
    assert_eq!(line.arrived().await?, [], "it is given its time");
    bus.mend_line(AT_ONCE, AT_ONCE).await?;
    assert_eq!(line.arrived().await?, [run], "it is sent again, and not taken for ended");
    bus.leave_line(&LineNews { begun: vec![run], ..LineNews::default() }).await?;
    assert!(matches!(bus.standings(&[run]).await?[..], [Standing::Admitted(_)]));
    assert_eq!(bus.run_in_line(run).await?, None);
    bus.mend_line(AT_ONCE, LATER).await?;
    assert_eq!(line.arrived().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_run_behind_a_long_inbox_is_not_sent_twice() -> Result<()> {
    let mut line = Line::start(2, 0).await?;
    let run = line.submit(0, Priority::Normal).await?;
    line.fixture.bus.mend_line(AT_ONCE, AT_ONCE).await?;
    assert_eq!(line.arrived().await?, [run]);
    Ok(())
}

/// An inbox that lags hides that a message of it is lost, until what is older has been read.
#[tokio::test]
async fn a_run_that_was_not_sent_while_its_inbox_lags_is_sent_once_its_turn_has_passed() -> Result<()> {
    let mut line = Line::start(2, 0).await?;
    let bus = line.fixture.bus.clone();
    let run = line.submit(0, Priority::Normal).await?;
    line.arrived().await?;
    let (unsent, inbox) = ("{mr:line}:unsent", format!("{{mr:p{}}}:inbox", bus.partition_of(run)));
    let other = serde_json::to_string(&Message::Wake { execution_id: run })?;
    let ago = |seconds: i64| UnixMillis::now().0 - seconds * 1_000;
    // Its message is gone; one of before stands in the inbox.
    line.fixture.ask::<()>(&format!("DEL {inbox}")).await?;
    line.fixture.ask::<()>(&format!("ZADD {unsent} {} {run}", ago(100))).await?;
    line.fixture.ask::<()>(&format!("XADD {inbox} {}-0 m {other}", ago(101))).await?;
    bus.mend_line(AT_ONCE, LATER).await?;
    assert_eq!(line.arrived().await?, [], "it may stand behind that one");

    line.fixture.ask::<()>(&format!("DEL {inbox}")).await?;
    line.fixture.ask::<()>(&format!("XADD {inbox} {}-0 m {other}", ago(50))).await?;
    bus.mend_line(AT_ONCE, LATER).await?;
    assert_eq!(line.arrived().await?, [run], "it would have come before that one");
    Ok(())
}

/// What is put off again and again, perhaps for days.
#[tokio::test]
async fn a_message_in_hand_hides_none_that_is_lost_and_is_not_sent_twice() -> Result<()> {
    let mut line = Line::start(2, 0).await?;
    let bus = line.fixture.bus.clone();
    let lost = line.submit(0, Priority::Normal).await?;
    line.arrived().await?;
    let (partition, inbox) = (bus.partition_of(lost), format!("{{mr:p{}}}:inbox", bus.partition_of(lost)));
    let other = serde_json::to_string(&Message::Wake { execution_id: ExecutionId::generate() })?;
    let ago = |seconds: i64| UnixMillis::now().0 - seconds * 1_000;
    line.fixture.ask::<()>(&format!("DEL {inbox}")).await?;
    line.fixture.ask::<()>(&format!("ZADD {{mr:line}}:unsent {} {lost}", ago(100))).await?;
    line.fixture.ask::<()>(&format!("XADD {inbox} {}-0 m {other}", ago(101))).await?;
    assert!(bus.oldest_unread(&[partition]).await?.contains_key(&partition));
    read_messages(&mut line.inbox, &[partition], 1).await?;
    assert!(bus.oldest_unread(&[partition]).await?.is_empty());
    bus.mend_line(AT_ONCE, LATER).await?;
    assert_eq!(line.arrived().await?, [lost]);

    line.tell(LineNews { begun: vec![lost], ..LineNews::default() }).await?;
    let in_hand = line.submit(1, Priority::Normal).await?;
    read_messages(&mut line.inbox, &[bus.partition_of(in_hand)], 1).await?;
    bus.mend_line(AT_ONCE, LATER).await?;
    assert_eq!(line.arrived().await?, [], "it is late, not lost");
    Ok(())
}

#[tokio::test]
async fn a_run_that_ended_without_leaving_gives_its_place_back() -> Result<()> {
    let mut line = Line::start(1, 0).await?;
    let bus = line.fixture.bus.clone();
    let (ended, next) = (line.submit(0, Priority::Normal).await?, line.submit(0, Priority::Normal).await?);
    let live = step(&bus, ended, 0, 1);
    bus.commit(&[live]).await?;
    bus.leave_line(&LineNews { begun: vec![ended], ..LineNews::default() }).await?;
    assert_eq!(line.arrived().await?, [ended]);
    bus.mend_line(LATER, AT_ONCE).await?;
    assert_eq!(line.arrived().await?, [], "a live run keeps its place");

    let mut last = step(&bus, ended, 1, 2);
    last.expire_after = Some(LATER);
    bus.commit(&[last]).await?;
    bus.mend_line(LATER, LATER).await?;
    assert_eq!(line.arrived().await?, [], "it is given its time");
    bus.mend_line(LATER, AT_ONCE).await?;
    assert_eq!(line.arrived().await?, [next]);
    assert_eq!(bus.standings(&[ended]).await?, [Standing::Unknown]);
    Ok(())
}

#[tokio::test]
async fn executing_a_run_twice_takes_one_place_and_a_newer_command_replaces_the_older() -> Result<()> {
    let mut line = Line::start(1, 0).await?;
    let bus = line.fixture.bus.clone();
    let (first, second) = (of_flow(0, Priority::Normal, 1), of_flow(1, Priority::Normal, 1));
    for run in [&first, &first, &second, &second] {
        bus.execute(run).await?;
    }
    assert_eq!(line.arrived().await?, [first.execution_id; 2]);
    let newer = Accepted { epoch: 2, ..second.clone() };
    bus.execute(&newer).await?;
    let view = bus.line(10).await?;
    assert_eq!((view.running, view.waiting), (1, 1));
    assert_eq!(bus.run_in_line(second.execution_id).await?, Some(newer));
    // One that is cancelled while it waits leaves without having run, and nobody is admitted in its place.
    line.end(&[second.execution_id]).await?;
    assert_eq!(bus.line(10).await?.waiting, 0);
    assert_eq!(bus.standings(&[second.execution_id]).await?, [Standing::Unknown]);
    assert_eq!(line.arrived().await?, []);
    Ok(())
}

#[tokio::test]
async fn room_that_nobody_took_is_given_to_those_who_wait() -> Result<()> {
    let mut line = Line::start(1, 0).await?;
    for flow in 0..4 {
        line.submit(flow, Priority::Normal).await?;
    }
    assert_eq!(line.arrived().await?.len(), 1);
    line.fixture.bus.limit_line(LineLimit { running: 3, reserve: 0 }).await?;
    line.fixture.bus.mend_line(LATER, LATER).await?;
    assert_eq!(line.arrived().await?.len(), 2);
    // After the loss of everything, the line is simply empty.
    line.fixture.ask::<()>("FLUSHALL").await?;
    line.fixture.bus.mend_line(AT_ONCE, AT_ONCE).await?;
    assert_eq!(line.fixture.bus.line(10).await?.running, 0);
    // Nobody has said yet how many may run.
    let early = line.submit(0, Priority::Normal).await?;
    assert_eq!(line.arrived().await?, []);
    line.fixture.bus.limit_line(LineLimit { running: 1, reserve: 0 }).await?;
    line.fixture.bus.mend_line(LATER, LATER).await?;
    assert_eq!(line.arrived().await?, [early]);
    Ok(())
}
