//! Who changed what: recorded once, found by what it says, deleted when it is old.

use anyhow::Result;
use millrace_contracts::audit::Change;
use millrace_contracts::{Event, UnixMillis};
use millrace_store::ChangeFilter;
use uuid::Uuid;

use crate::support::Fixture;

fn change(actor_id: Uuid, action: &str, target: &str) -> Event {
    let change = Change {
        id: Uuid::now_v7(),
        actor_id: Some(actor_id),
        actor: Some("ops\0".to_owned()),
        action: action.to_owned(),
        target: target.to_owned(),
        status: Some(201),
        address: Some("192.0.2.7".to_owned()),
        forwarded_for: None,
        request_id: None,
    };
    change.into_event(UnixMillis::now())
}

#[tokio::test]
async fn a_change_is_recorded_once_and_found_by_what_it_says() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    let events = [
        change(one, "create_key", "keys/a"),
        change(one, "revoke_key", "keys/a"),
        change(two, "create_key", "keys/b"),
    ];
    for _ in 0..2 {
        let recorded = fixture.record(&events).await?;
        assert_eq!((recorded.transactions, recorded.dead_letters), (1, 0));
    }
    let list = async |filter: ChangeFilter| anyhow::Ok(fixture.store.audit().list(&filter, None, 10).await?);
    let all = list(ChangeFilter::default()).await?;
    assert_eq!(
        all.iter().map(|found| found.change.target.as_str()).collect::<Vec<_>>(),
        ["keys/b", "keys/a", "keys/a"]
    );
    assert_eq!(all[0].change.actor.as_deref(), Some("ops\u{fffd}"));
    let by_actor = ChangeFilter { actor_id: Some(one), ..ChangeFilter::default() };
    assert_eq!(list(by_actor.clone()).await?.len(), 2);
    assert_eq!(list(ChangeFilter { action: Some("revoke_key".into()), ..by_actor }).await?.len(), 1);
    assert_eq!(
        list(ChangeFilter { target: Some("keys/a".into()), ..ChangeFilter::default() }).await?.len(),
        2
    );
    let next = fixture.store.audit().list(&ChangeFilter::default(), Some(all[0].change.id), 1).await?;
    assert_eq!(next, all[1..2]);

    let later = UnixMillis(UnixMillis::now().0 + 1);
    assert_eq!(fixture.store.audit().expire(UnixMillis(1), 10).await?.deleted, 0);
    assert_eq!(fixture.store.audit().expire(later, 2).await?.deleted, 2, "the oldest first");
    assert_eq!(list(ChangeFilter::default()).await?, all[..1]);
    Ok(())
}
