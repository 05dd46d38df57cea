//! What a `rediss://` connection is checked by, and what it shows.

use std::path::{Path, PathBuf};

use redis::{Client, ClientTlsConfig, ConnectionAddr, RedisError, TlsCertificates};

use crate::{BusError, connection};

/// What every PEM file of certificates holds.
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// PEM files for `rediss://`, read once, when the bus connects. Without any the server must show a certificate that one of the
/// public authorities (Mozilla's list) vouches for, and is shown none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BusTls {
    /// The certificates of those who vouch for the server, instead of the public authorities.
    pub ca_file: Option<PathBuf>,
    /// What the server is shown: the certificate chain, and its private key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl BusTls {
    /// The files' content; none when there are no files.
    pub(crate) fn read(&self) -> Result<Option<TlsCertificates>, BusError> {
        let root_cert = self.ca_file.as_deref().map(certificates).transpose()?;
        let identity = |(chain, key): &(PathBuf, PathBuf)| {
            Ok::<_, BusError>(ClientTlsConfig {
                client_cert: certificates(chain)?,
                client_key: content(key)?,
            })
        };
        let client_tls = self.identity.as_ref().map(identity).transpose()?;
        let any = root_cert.is_some() || client_tls.is_some();
        Ok(any.then_some(TlsCertificates { client_tls, root_cert }))
    }
}

/// A file with certificates in it: one without any would refuse every server, and nobody would know why.
fn certificates(file: &Path) -> Result<Vec<u8>, BusError> {
    let bytes = content(file)?;
    if bytes.windows(CERTIFICATE.len()).any(|window| window == CERTIFICATE) {
        return Ok(bytes);
    }
    Err(BusError::Settings(format!("there is no PEM certificate in {}", file.display())))
}

fn content(file: &Path) -> Result<Vec<u8>, BusError> {
    std::fs::read(file)
        .map_err(|error| BusError::Settings(format!("{} cannot be read: {error}", file.display())))
}

/// Tries once whether the two ends of a `rediss://` trust each other: if not they never will, and whoever connects again and again
/// would only hide it behind a time limit. Other faults may pass, and are for those who do.
pub(crate) async fn check_trust(client: &Client) -> Result<(), BusError> {
    if !matches!(client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. }) {
        return Ok(());
    }
    match connection::once(client).await {
        Err(source) if advice(&source).is_some() => Err(BusError::Connect { source }),
        _ => Ok(()),
    }
}

/// What to set when two ends do not trust each other. The crates between say it in words alone.
pub(crate) fn advice(fault: &RedisError) -> Option<&'static str> {
    const NOT_ACCEPTED: &str = "it does not accept the certificate it is shown; set redis.certificate_file and redis.key_file to another";
    let faults = [
        (
            "UnknownIssuer",
            "nobody who is trusted signed its certificate; set redis.ca_file to the certificate of who did",
        ),
        ("not valid for name", "its certificate is for another name than the one in redis.url"),
        (
            "alert: CertificateRequired",
            "it asks for a certificate; set redis.certificate_file and redis.key_file",
        ),
        ("alert: UnknownCA", NOT_ACCEPTED),
        ("alert: BadCertificate", NOT_ACCEPTED),
        ("alert: CertificateExpired", NOT_ACCEPTED),
        ("alert: DecryptError", NOT_ACCEPTED),
    ];
    let fault = fault.to_string();
    faults.into_iter().find_map(|(words, advice)| fault.contains(words).then_some(advice))
}
