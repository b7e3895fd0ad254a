//! The simulator in a process of its own: this very program, run as `umbra hsm`.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// Ended when it is dropped.
pub struct Simulator {
    child: Child,
    pub address: SocketAddr,
}

impl Simulator {
    /// Returns once it listens.
    pub fn start() -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program's own file is not to be found")?;
        let mut child = Command::new(program)
            .args(["umbra", "hsm", "--listen", "127.0.0.1:0"])
            // A line a command would be measured along with it.
            .env("UMBRA_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the HSM simulator cannot be started")?;
        let line = first_line(&mut child);
        match line.as_deref().map(address_in) {
            Ok(Some(address)) => Ok(Self { child, address }),
            _ => {
                end(&mut child);
                anyhow::bail!("the HSM simulator did not say where it listens");
            }
        }
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn first_line(child: &mut Child) -> std::io::Result<String> {
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut line)?;
    }
    Ok(line)
}

/// The address is the line's last word.
fn address_in(line: &str) -> Option<SocketAddr> {
    line.split_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_ends_with_the_address() {
        let line = "HSM simulator with LMKs 00 variant, 01 AES key block on 127.0.0.1:4711\n";
        assert_eq!(address_in(line), "127.0.0.1:4711".parse().ok());
        assert_eq!(address_in(""), None);
    }
}
