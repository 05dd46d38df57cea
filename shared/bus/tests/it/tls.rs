//! A server that is spoken to by TLS alone, whose certificate an authority of its own signed, and that asks for one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use futures::StreamExt;
use millrace_bus::{Bus, BusError, BusSettings, BusTls};
use millrace_contracts::{EventType, ExecutionId};
use millrace_testkit::eventually;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};

use crate::support::{DEADLINE, OwnServer, accepted, free_port, live};

struct TlsServer {
    _server: OwnServer,
    url: String,
    ca: PathBuf,
    identity: (PathBuf, PathBuf),
}

impl TlsServer {
    /// One whose certificate is for `name`.
    async fn start(name: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = |name: &str| folder.path().join(name);
        let issuer = authority(&format!("authority of {name}"), &file("ca.pem"))?;
        sign(&issuer, name, (&file("server.pem"), &file("server.key")))?;
        sign(&issuer, "client", (&file("client.pem"), &file("client.key")))?;
        let (ca, identity) = (file("ca.pem"), (file("client.pem"), file("client.key")));
        let port = free_port()?.to_string();
        // The files' names are those of its folder, which is where it runs.
        let words =
            ["--port", "0", "--tls-port", &port, "--tls-auth-clients", "yes", "--tls-ca-cert-file", "ca.pem"];
        let files = ["--tls-cert-file", "server.pem", "--tls-key-file", "server.key"];
        let server = OwnServer::start(folder, &[&words[..], &files[..]].concat())?;
        let listening =
            async || Ok::<_, anyhow::Error>(std::net::TcpStream::connect(format!("127.0.0.1:{port}")).ok());
        eventually(DEADLINE, "the server listens", listening).await?;
        Ok(Self { _server: server, url: format!("rediss://127.0.0.1:{port}"), ca, identity })
    }

    async fn connect(&self, tls: BusTls) -> Result<Bus, BusError> {
        Bus::connect(BusSettings { partitions: 1, tls, ..BusSettings::new(&self.url) }).await
    }

    /// What the server asks for, and what it is checked by.
    fn tls(&self) -> BusTls {
        BusTls { ca_file: Some(self.ca.clone()), identity: Some(self.identity.clone()) }
    }
}

/// What is certified: a holder of that name.
fn named(holder: &str, names: Vec<String>) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, holder);
    Ok(params)
}

/// An authority of that name, which nobody knows, its certificate in `file`.
fn authority(name: &str, file: &Path) -> Result<Issuer<'static, KeyPair>> {
    let mut params = named(name, Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    std::fs::write(file, params.self_signed(&key)?.pem())?;
    Ok(Issuer::new(params, key))
}

/// A certificate for `name`, and its key.
fn sign(issuer: &Issuer<'_, KeyPair>, name: &str, (file, key_file): (&Path, &Path)) -> Result<()> {
    let key = KeyPair::generate()?;
    std::fs::write(file, named(name, vec![name.to_owned()])?.signed_by(&key, issuer)?.pem())?;
    Ok(std::fs::write(key_file, key.serialize_pem())?)
}

#[tokio::test]
async fn commands_blocking_reads_and_subscriptions_go_by_tls() -> Result<()> {
    let server = TlsServer::start("127.0.0.1").await?;
    let bus = server.connect(server.tls()).await?;
    let mut feed = bus.subscribe(&["workflow:*"]).await?;
    let mut inbox = bus.inbox("o1").await?;
    let run = ExecutionId::generate();
    let partition = bus.partition_of(run);
    let partitions = [partition];
    let (read, sent) = tokio::join!(inbox.read(&partitions, 1, DEADLINE), bus.wake(run));
    sent?;
    assert_eq!(read?[0].message.execution_id(), Some(run));
    bus.publish(&live(EventType::WorkflowStarted, run)).await?;
    assert!(tokio::time::timeout(DEADLINE, feed.next()).await?.is_some());
    bus.own_connection().await?.execute(&accepted(ExecutionId::generate())).await?;
    Ok(())
}

#[tokio::test]
async fn whoever_is_not_trusted_is_told_what_to_set() -> Result<()> {
    let server = TlsServer::start("127.0.0.1").await?;
    let fault =
        |result: Result<Bus, BusError>| result.err().map(|error| error.to_string()).unwrap_or_default();
    let said = fault(server.connect(BusTls { ca_file: None, ..server.tls() }).await);
    assert!(said.contains("redis.ca_file"), "{said}");
    let said = fault(server.connect(BusTls { identity: None, ..server.tls() }).await);
    assert!(said.contains("redis.certificate_file"), "{said}");
    let other = TlsServer::start("redis.example").await?;
    let said = fault(server.connect(BusTls { identity: other.tls().identity, ..server.tls() }).await);
    assert!(said.contains("does not accept"), "{said}");
    let said = fault(other.connect(other.tls()).await);
    assert!(said.contains("redis.url") && said.contains("redis.example"), "{said}");
    Ok(())
}

#[tokio::test]
async fn files_that_hold_nothing_of_use_are_named_before_anything_is_connected() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (none, empty) = (folder.path().join("none.pem"), folder.path().join("empty.pem"));
    std::fs::write(&empty, "")?;
    let ca = |file: &Path| BusTls { ca_file: Some(file.to_owned()), identity: None };
    let shown = BusTls { ca_file: None, identity: Some((empty.clone(), empty.clone())) };
    for (tls, file) in [(ca(&none), &none), (ca(&empty), &empty), (shown, &empty)] {
        let settings = BusSettings { tls, ..BusSettings::new("rediss://127.0.0.1:1") };
        let connected = tokio::time::timeout(Duration::from_secs(1), Bus::connect(settings)).await?;
        let Err(error @ BusError::Settings(_)) = connected else {
            anyhow::bail!("{} is no use", file.display())
        };
        assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    }
    Ok(())
}
