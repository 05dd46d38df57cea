//! The threads that a session has for its operators. Rule: they are started by whoever waits for the session, not by whoever opens
//! it. A thread is as nice as the one that started it, and without privileges none becomes less so: a session that was opened beside
//! running models would for ever run as one that gives way to them.

use std::sync::{Arc, Weak, mpsc};
use std::thread::{Builder, JoinHandle};

use ort::environment::ThreadManager;

use crate::aside;

/// What a thread does until its session is closed.
type Work = Box<dyn FnOnce() + Send>;

/// A thread that is asked for.
struct Order {
    work: Work,
    started: mpsc::Sender<std::io::Result<JoinHandle<()>>>,
}

/// Has the threads of one session started, as long as that is being opened.
pub(super) struct Crew(Weak<mpsc::Sender<Order>>);

/// Runs `open` beside running models, and starts the threads, called `name`, that its crew asks for meanwhile; the error says why
/// there is no result.
pub(super) fn open_aside<T: Send + 'static>(
    name: &str,
    open: impl FnOnce(Crew) -> T + Send + 'static,
) -> Result<T, String> {
    let (orders, ordered) = mpsc::channel();
    let orders = Arc::new(orders);
    let crew = Crew(Arc::downgrade(&orders));
    let opening = aside::spawn(move || {
        // Dropped when it is open, or the opening panicked: nothing is ordered after that.
        let _taken = orders;
        open(crew)
    })?;
    for Order { work, started } in ordered {
        let thread = Builder::new().name(name.to_owned()).spawn(work);
        // Whoever ordered it waits for it: only a panic there leaves nobody.
        drop(started.send(thread));
    }
    aside::result(opening)
}

impl Crew {
    /// None when nobody starts threads any more.
    fn order(&self, work: Work) -> Option<std::io::Result<JoinHandle<()>>> {
        let (started, thread) = mpsc::channel();
        self.0.upgrade()?.send(Order { work, started }).ok()?;
        thread.recv().ok()
    }
}

impl ThreadManager for Crew {
    type Thread = JoinHandle<()>;

    fn create(&self, work: impl FnOnce() + Send + 'static) -> ort::Result<JoinHandle<()>> {
        match self.order(Box::new(work)) {
            Some(Ok(thread)) => Ok(thread),
            Some(Err(error)) => Err(ort::Error::new(format!("no thread could be started: {error}"))),
            None => Err(ort::Error::new("threads are started while a session is opened, not later")),
        }
    }

    fn join(thread: JoinHandle<()>) -> ort::Result<()> {
        thread.join().map_err(|_| ort::Error::new("a thread of a session's operators panicked"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_started_while_a_session_is_opened_and_not_later() {
        let named = || std::thread::current().name().map(str::to_owned);
        let (told, heard) = mpsc::channel();
        let crew = open_aside("crew", move |crew| {
            let work = move || told.send(named()).unwrap();
            Crew::join(crew.create(work).unwrap()).unwrap();
            (named(), crew)
        });
        let (opener, crew) = crew.unwrap();
        assert_eq!((opener.as_deref(), heard.recv().unwrap().as_deref()), (Some("load"), Some("crew")));
        assert!(crew.order(Box::new(|| {})).is_none());
    }

    #[test]
    fn an_opening_that_panics_ends_it() {
        let opened = open_aside("crew", |_: Crew| assert!(std::hint::black_box(false), "out of order"));
        assert_eq!(opened, Err("it panicked".to_owned()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn who_opens_gives_way_and_the_crew_does_not() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let (told, heard) = mpsc::channel();
        let opener = open_aside("crew", move |crew| {
            Crew::join(crew.create(move || told.send(nice()).unwrap()).unwrap()).unwrap();
            nice()
        });
        let own = nice();
        assert_eq!(heard.recv().unwrap(), own);
        assert!(opener.unwrap() > own);
    }
}
