//! The least a switch can be, for this crate's tests: answers over a real socket, and lies when told to.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use iso8583::Fields;
use iso8583::framing::{Frame, FrameCodec};
use payment_crypto::tr31::{Header, Version, wrap};
use payment_crypto::{TdesKey, kcv, os_random};
use tokio::net::TcpListener;
use tokio_util::codec::Framed;

use crate::{Dialect, KeyScheme, TerminalProfile, mac};

pub const TMK: [u8; 16] = [0x67; 16];
pub const TPK: [u8; 16] = [0x23; 16];
pub const TAK: [u8; 16] = [0x45; 16];

pub fn key(bytes: [u8; 16]) -> TdesKey {
    TdesKey::from_bytes(&bytes).unwrap()
}

pub fn profile(key_scheme: KeyScheme) -> TerminalProfile {
    TerminalProfile {
        terminal_id: "UMBRA001".into(),
        merchant_id: "UMBRAMERCHANT01".into(),
        tmk: key(TMK),
        key_scheme,
        mac: true,
    }
}

/// How the host misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lie {
    #[default]
    None,
    OtherStan,
    OtherMti,
    NoMac,
    WrongMac,
    RefusesWithoutMac,
    TpduNotSwapped,
    Silent,
    Closes,
    /// Answers pairs of requests in reverse order.
    Reverses,
}

#[derive(Clone)]
pub struct FakeHost {
    pub dialect: Dialect,
    pub scheme: KeyScheme,
    pub lie: Lie,
}

impl FakeHost {
    pub fn new(listener: &str) -> Self {
        Self { dialect: Dialect::of_listener(listener).unwrap(), scheme: KeyScheme::Tr31, lie: Lie::None }
    }

    pub fn lying(listener: &str, lie: Lie) -> Self {
        Self { lie, ..Self::new(listener) }
    }

    /// Serves one connection in the background.
    pub async fn start(self) -> SocketAddr {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let host = Arc::new(self);
        tokio::spawn(async move {
            let (stream, _) = socket.accept().await.unwrap();
            let mut frames = Framed::new(stream, FrameCodec::new(host.dialect.framing));
            let mut kept = Vec::new();
            while let Some(Ok(frame)) = frames.next().await {
                if frame.is_keep_alive() {
                    frames.send(frame).await.unwrap();
                    continue;
                }
                match host.lie {
                    Lie::Silent => continue,
                    Lie::Closes => return,
                    _ => kept.push(host.reply(&frame)),
                }
                if host.lie == Lie::Reverses && kept.len() < 2 {
                    continue;
                }
                while let Some(answer) = kept.pop() {
                    frames.send(answer).await.unwrap();
                }
            }
        });
        address
    }

    fn reply(&self, frame: &Frame) -> Frame {
        let body = self.answer(&frame.body);
        match self.lie {
            Lie::TpduNotSwapped => Frame { header: frame.header, body },
            _ => frame.reply(body),
        }
    }

    /// Approves everything; a balance inquiry gets two balances.
    fn answer(&self, wire: &[u8]) -> Bytes {
        let spec = &self.dialect.spec;
        let request = spec.decode(wire).unwrap();
        let tak = key(TAK);
        let authenticated = mac::verify(&request, Some(&tak)).unwrap();
        let mti = request.mti();
        let function = if self.lie == Lie::OtherMti {
            "9"
        } else if &mti[2..3] == "0" {
            "1"
        } else {
            "3"
        };
        let mut answer = Fields::new(&format!("{}{function}0", &mti[..2]));
        for de in [3, 4, 7, 11, 12, 13, 37, 41, 42, 49, 70] {
            if let Some(text) = request.text(de) {
                answer.set(de, text);
            }
        }
        answer.set(39, if self.lie == Lie::RefusesWithoutMac { "63" } else { "00" });
        if self.lie == Lie::OtherStan {
            answer.set(11, "000000");
        }
        if request.text(70).as_deref() == Some("101") {
            answer.set(62, carrier(self.scheme));
        }
        if request.text(3).as_deref() == Some("310000") {
            answer.set(54, "0001710C0000000012500002710D000000000005");
        }
        let tak = match self.lie {
            Lie::NoMac | Lie::RefusesWithoutMac => None,
            Lie::WrongMac => Some(key(TPK)),
            _ => Some(tak),
        };
        mac::seal(spec, &mut answer, tak.as_ref().filter(|_| authenticated)).unwrap()
    }
}

/// DE 62 with TPK and TAK under the TMK.
fn carrier(scheme: KeyScheme) -> String {
    let block = |bytes: [u8; 16], usage: [u8; 2], mode: u8| match scheme {
        KeyScheme::Tr31 => {
            wrap(key(TMK).bytes(), Version::B, &Header::new(usage, b'T', mode, b'N'), &bytes, &mut os_random).unwrap()
        }
        KeyScheme::Ecb => {
            let check = hex::encode_upper(kcv::tdes(&key(bytes)));
            format!("X{}{}", hex::encode_upper(key(TMK).encrypt_ecb(&bytes).unwrap()), &check[..6])
        }
    };
    let (pin, mac) = (block(TPK, *b"P0", b'E'), block(TAK, *b"M3", b'C'));
    format!("MK{:03}{mac}PK{:03}{pin}", mac.len(), pin.len())
}

/// An encoded message that is no answer to anything, for tests of what a receiver must refuse.
pub fn stray(dialect: &Dialect) -> Bytes {
    let mut fields = Fields::new("0210");
    fields.set(11, "999999");
    let mut wire = BytesMut::new();
    dialect.spec.encode(&fields, &mut wire).unwrap();
    wire.freeze()
}
