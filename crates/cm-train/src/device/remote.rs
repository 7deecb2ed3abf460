//! Devices of other machines, by Burn's remote backend over WebSocket.
//!
//! The graph of gradients and the optimizer's state are the client's; tensors and what computes with them are the server's. Burn's
//! own operations go there one by one, the fused kernels of this project do not. WebSocket is not encrypted: a token keeps
//! strangers out of a network that is trusted, and nobody from reading along.

use std::net::TcpListener;

use burn::tensor::Device;

use crate::Error;

/// The environment variable with the token that servers and clients share.
pub const TOKEN: &str = "CM_TOKEN";

/// Devices of a server, by their numbers; `token` is the one that it has, if it has one.
///
/// # Errors
///
/// [`Error::Server`] for one that cannot be reached, or has no such device; [`Error::RemoteMissing`] for a build without the
/// feature `remote`.
#[cfg(feature = "remote")]
pub fn connect(url: &str, numbers: &[usize], token: Option<&str>) -> Result<Vec<Device>, Error> {
    use burn::remote::RemoteHost;

    let mut host = RemoteHost::websocket(url);
    if let Some(token) = token {
        host = host.with_credential(token);
    }
    let connected = |&number: &usize| {
        let options = Device::remote_options(&host).device_index(number);
        let device = super::tried(|| options.init().map_err(|error| error.to_string()));
        device.map_err(|reason| Error::Server { url: url.to_owned(), reason })
    };
    numbers.iter().map(connected).collect()
}

/// The token of the environment.
pub fn token() -> Option<String> {
    std::env::var(TOKEN).ok().filter(|token| !token.is_empty())
}

/// Refuses, for it was not built in.
///
/// # Errors
///
/// [`Error::RemoteMissing`].
#[cfg(not(feature = "remote"))]
pub fn connect(_url: &str, _numbers: &[usize], _token: Option<&str>) -> Result<Vec<Device>, Error> {
    Err(Error::RemoteMissing)
}

/// Lets clients that have the token compute on devices of this machine, until the process receives Ctrl-C or SIGTERM.
///
/// # Errors
///
/// [`Error::RemoteMissing`] for a build without the feature `remote`; [`Error::Server`] where it cannot serve.
#[cfg(feature = "remote")]
pub fn serve(devices: Vec<Device>, listener: TcpListener, token: &str) -> Result<(), Error> {
    use burn::server::{RemoteServer, TokenAuthorizer, WebSocketTransport};

    let address = listener.local_addr().map_or_else(|_| String::new(), |address| address.to_string());
    let problem = |reason: String| Error::Server { url: address.clone(), reason };
    let authorizer = TokenAuthorizer::new(token).map_err(|error| problem(error.to_string()))?;
    let server = RemoteServer::new(devices).with_authorizer(authorizer);
    server.serve(WebSocketTransport::from_listener(listener)).map_err(|error| problem(error.to_string()))
}

/// Refuses, for it was not built in.
///
/// # Errors
///
/// [`Error::RemoteMissing`].
#[cfg(not(feature = "remote"))]
pub fn serve(_devices: Vec<Device>, _listener: TcpListener, _token: &str) -> Result<(), Error> {
    Err(Error::RemoteMissing)
}
