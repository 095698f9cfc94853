//! kube's client over connections that send at once.
//!
//! kube's own leaves Nagle's algorithm on: the first request follows the handshake's last words in a segment of its own, which
//! then waits for a server's delayed acknowledgement. That is 40 ms for every cluster (measured), more than the two lists of a
//! hundred workloads take. Through a proxy kube's connections are used as they are.

use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use tower::{BoxError, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

/// Bytes that a connection reads ahead.
const READ_AHEAD: usize = 64 * 1024;

/// A client of this configuration.
pub(super) fn client(config: Config) -> kube::Result<kube::Client> {
    if config.proxy_url.is_some() {
        return Ok(ClientBuilder::try_from(config)?.build());
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(tcp)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    // What hyper reads ahead is memory of each list; with more of it none comes sooner.
    let client: Client<_, Body> = Builder::new(TokioExecutor::new()).http1_max_buf_size(READ_AHEAD).build(connector);
    let gzip = DecompressionLayer::new().gzip(!config.disable_compression);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(gzip)
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(client);
    Ok(kube::Client::new(service, config.default_namespace))
}
