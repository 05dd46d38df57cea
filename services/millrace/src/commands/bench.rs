//! `millrace bench`: the built-in load scenarios, against a running instance or one of our own.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use clap::builder::RangedU64ValueParser;
use millrace_config::{Loaded, Origin, Settings};
use millrace_tasks::shutdown_signal;

use crate::bench::inference::Kit;
use crate::bench::{Bounds, Instance, Place, Private, Report, Scenario, Stage};
use crate::context::Context;
use crate::exit::{Exit, Misuse};
use crate::progress::Bars;
use crate::up::endpoints::Endpoints;
use crate::up::share_nothing;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  millrace bench dag                            a private instance, started and stopped again
  millrace bench --seconds 20 --json > figures.json
  millrace bench submit --data-dir .millrace    the running `millrace up` of that folder
  millrace bench detect --models models

A private instance lives in a temporary folder (TMPDIR says where) with the durable settings of real use. Against a running
one, all load lands in its database. Exit code 1 when a run failed.")]
pub(crate) struct Args {
    /// What to play; everything when none is named.
    #[arg(value_enum)]
    scenario: Option<Scenario>,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
    /// Seconds of each phase, at most.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Runs of each phase, at most.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = RangedU64ValueParser::<u64>::new().range(1..=1_000_000))]
    runs: u64,
    /// The running `millrace up` of this folder, by its endpoints.json.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "redis_url", "database_url"])]
    data_dir: Option<PathBuf>,
    /// A running instance's api; its Redis must be named too.
    #[arg(long, value_name = "URL", requires = "redis_url")]
    url: Option<String>,
    /// The instance's Redis; without --url, the private instance uses it.
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,
    /// The instance's Postgres; without --url, the private instance uses it.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// The process of the running instance, whose CPU and that of its children is counted.
    #[arg(long, value_name = "PID", requires = "url")]
    pid: Option<u32>,
    /// Workers of the private instance, for `detect`, `chain`, `fairness` and `inference`.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=64))]
    workers: usize,
    /// Models of the private instance, for `detect` and `fairness`; `inference` makes its own.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
}

impl Args {
    fn scenarios(&self) -> Vec<Scenario> {
        use Scenario::{Chain, Dag, Detect, Fairness, Inference, Push, Streams, Submit};
        let all = || vec![Dag, Submit, Push, Streams, Detect, Chain, Inference, Fairness];
        let shown = |all: Vec<Scenario>| match self.is_private() {
            true => all,
            // It brings its own models, which a running instance does not see.
            false => all.into_iter().filter(|one| *one != Inference).collect(),
        };
        self.scenario.map_or_else(|| shown(all()), |one| vec![one])
    }

    fn is_private(&self) -> bool {
        self.data_dir.is_none() && self.url.is_none()
    }

    /// What of these a private instance is given.
    fn flags(&self) -> Vec<(String, String)> {
        let urls = [("redis.url", &self.redis_url), ("database.url", &self.database_url)];
        let given = urls.into_iter().filter(|_| self.is_private());
        given.filter_map(|(key, url)| Some((key.to_owned(), url.clone()?))).collect()
    }

    fn bounds(&self) -> Bounds {
        Bounds { time: Duration::from_secs(self.seconds), count: self.runs }
    }

    /// The running instance that is meant; none for one of our own.
    fn running(&self) -> anyhow::Result<Option<Place>> {
        if let Some(dir) = &self.data_dir {
            let found = Endpoints::read(dir);
            let none =
                || Misuse(format!("no `millrace up` runs on {}: it has no endpoints.json", dir.display()));
            return Ok(Some(found.ok_or_else(none)?.into()));
        }
        Ok(self.url.clone().zip(self.redis_url.clone()).map(|(api, redis_url)| Place {
            api,
            redis_url,
            database_url: self.database_url.clone(),
            process: self.pid,
        }))
    }

    /// What `inference` works with, if it is played.
    fn kit(&self, loaded: &Loaded) -> anyhow::Result<Option<Kit>> {
        if !self.scenarios().contains(&Scenario::Inference) {
            return Ok(None);
        }
        if !self.is_private() {
            return Err(Misuse(
                "`inference` brings its own models: leave --data-dir and --url out".to_owned(),
            )
            .into());
        }
        let models = self.models(&loaded.settings)?;
        Kit::new(loaded, &models).map(Some)
    }

    /// The folder of models: that of the settings where no other is named.
    fn models(&self, settings: &Settings) -> anyhow::Result<PathBuf> {
        let folder = self.models.as_deref().or_else(|| settings.models.dir.folder());
        let folder = folder.ok_or_else(|| {
            Misuse(
                "models.dir is a bucket, which a bench does not measure: name a folder by --models"
                    .to_owned(),
            )
        })?;
        Ok(folder.to_owned())
    }

    fn private(&self, settings: &Settings, context: &Context, kit: Option<&Kit>) -> anyhow::Result<Private> {
        let works = [Scenario::Detect, Scenario::Chain, Scenario::Fairness];
        let detects = self.scenarios().iter().any(|one| works.contains(one)) || kit.is_some();
        // Only `detect`, `chain`, `fairness` and `inference` have work for real workers; the others bring their own.
        let models = match kit {
            _ if !detects => None,
            Some(kit) => Some(kit.models()),
            None => Some(self.models(settings)?),
        };
        Ok(Private {
            config: context.config_file().cloned(),
            models,
            workers: if detects { self.workers } else { 0 },
            redis_url: self.redis_url.clone(),
            database_url: self.database_url.clone(),
            environment: kit
                .map(|kit| ("MILLRACE__BLOBS__URL".to_owned(), kit.blobs_url()))
                .into_iter()
                .collect(),
        })
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let mut loaded = context.load(args.flags())?;
    if args.is_private() {
        // As the instance itself does; what its environment would name it is not told.
        share_nothing(&mut loaded, |origin| *origin == Origin::Flag);
    }
    let settings = &loaded.settings;
    let kit = args.kit(&loaded)?;
    let stop = shutdown_signal()?;
    let report = match args.running()? {
        Some(place) => measure(&args, Stage::connect(&place, settings, args.bounds(), stop).await?).await?,
        None => {
            let private = args.private(settings, context, kit.as_ref())?;
            let Some(instance) = Instance::start(&private, &stop).await? else { return Ok(Exit::Failed) };
            let report = async {
                let stage = Stage::connect(&instance.place, settings, args.bounds(), stop.clone()).await?;
                measure(&args, Stage { kit, ..stage }).await
            };
            let report = report.await;
            instance.stop().await?;
            report?
        }
    };
    if args.json {
        context.out.json(&serde_json::to_value(&report)?)?;
    } else {
        context.out.line(&report)?;
    }
    Ok(if report.is_clean() && !report.interrupted { Exit::Done } else { Exit::Failed })
}

/// Plays the scenarios; what was done before an interruption is reported.
async fn measure(args: &Args, stage: Stage) -> anyhow::Result<Report> {
    let mut report = Report::begin(&stage).await?;
    let scenarios = args.scenarios();
    let bar = Bars::new(args.json).steps("", scenarios.len() as u64);
    for scenario in scenarios {
        bar.set_message(format!("{scenario:?}").to_lowercase());
        match stage.play(scenario).await {
            Ok(section) => report.sections.push(section),
            Err(_) if stage.stop.is_cancelled() => {}
            Err(fault) => return Err(fault),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    report.interrupted = stage.stop.is_cancelled();
    Ok(report)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Line::try_parse_from(std::iter::once("bench").chain(line.split_whitespace())).map(|line| line.args)
    }

    #[test]
    fn everything_is_played_on_a_private_instance_by_default() {
        let args = parse("").unwrap();
        assert_eq!(args.scenarios().len(), 8);
        assert!(args.running().unwrap().is_none());
        assert_eq!(parse("dag").unwrap().scenarios(), [Scenario::Dag]);
    }

    #[test]
    fn bounds_are_bounded() {
        for refused in
            ["--seconds 0", "--seconds 601", "--runs 0", "--runs 1000001", "--workers 0", "nonsense"]
        {
            assert!(parse(refused).is_err(), "{refused}");
        }
        let bounds = parse("--seconds 3 --runs 7").unwrap().bounds();
        assert_eq!((bounds.time, bounds.count), (Duration::from_secs(3), 7));
    }

    #[test]
    fn a_running_instance_is_named_with_its_redis() {
        assert!(parse("--url http://x").is_err());
        let place =
            parse("--url http://x --redis-url redis://y --pid 7").unwrap().running().unwrap().unwrap();
        assert_eq!((place.api.as_str(), place.process), ("http://x", Some(7)));
        let place = parse("--data-dir /nowhere").unwrap();
        assert!(place.running().is_err());
        assert!(!place.scenarios().contains(&Scenario::Inference));
    }
}
