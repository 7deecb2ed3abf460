//! `cm serve`: devices of this machine for programs on others.

use std::net::{SocketAddr, TcpListener};

use clap::Args;
use cm_train::device::{self, TOKEN};

use crate::{error::CliError, session::ComputeOptions};

/// Options of `cm serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Programs on other machines name it by --device ws://HOST:PORT, or ws://HOST:PORT/1 for the second device. Both sides \
    read the token that they share from the variable CM_TOKEN; without one only this machine is served. WebSocket is not encrypted: \
    use it in a network that you trust. This needs a program built with the Cargo feature remote.\n\n\
    Examples:\n  cm serve --device cuda\n  CM_TOKEN=secret cm serve --backend cuda --devices 0,1 --address 0.0.0.0:3000\n  \
    CM_TOKEN=secret cm train photos --device ws://gpu:3000 --devices 0,1"
)]
pub struct Options {
    /// Address and port to listen at
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    address: SocketAddr,
    /// Devices, by their numbers; a client has them in this order
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    devices: Vec<usize>,
    #[command(flatten)]
    compute: ComputeOptions,
}

/// Serves until Ctrl-C.
pub fn run(options: &Options) -> Result<(), CliError> {
    let devices = options.compute.devices(&options.devices)?;
    let token = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
    let address = options.address;
    if token.is_none() && !address.ip().is_loopback() {
        return Err(CliError::Said(format!(
            "{address} can be reached from other machines, and anybody there could compute here: put a secret into the variable \
             {TOKEN}, here and where the clients are, or serve 127.0.0.1"
        )));
    }
    let listener = TcpListener::bind(address).map_err(|error| {
        CliError::Said(format!("cannot listen at {address}: {error}; choose another by --address"))
    })?;
    if !options.compute.quiet {
        let at = listener.local_addr().unwrap_or(address);
        eprintln!("serving {devices} at ws://{at}; Ctrl-C ends it");
    }
    Ok(device::serve(&devices, listener, token.as_deref())?)
}
