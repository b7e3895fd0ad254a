//! What must hold of any bytes, for the fuzz targets in `fuzz/` and the test that replays what they have found.

use std::sync::LazyLock;

use host_commands::wire;
use payment_crypto::tr31;

use crate::commands::TABLE;
use crate::device::Device;
use crate::explain;
use crate::policy::Policy;

type Target = fn(&[u8]);

/// Name and function of each target.
pub const TARGETS: [(&str, Target); 3] = [("commands", commands), ("answers", answers), ("key_blocks", key_blocks)];

static DEVICE: LazyLock<Option<Device>> = LazyLock::new(|| Device::with_test_lmks(Policy::default()).ok());

/// A command, the first byte of which picks it: it is answered in the protocol's form, and explained.
pub fn commands(data: &[u8]) {
    let (Some(device), Some((first, body))) = (DEVICE.as_ref(), data.split_first()) else { return };
    let row = &TABLE[usize::from(*first) % TABLE.len()];
    // Slow ones make keys, of which there are not many kinds.
    if row.slow && body.len() != 7 {
        return;
    }
    let mut answer = Vec::new();
    let outcome = device.run(b"HEAD", *row.code, body, &mut answer);
    let (header, code, rest) = wire::split(&answer, 4).unwrap_or_default();
    assert_eq!(header, b"HEAD");
    assert_eq!(code, wire::response_code(*row.code));
    let error = rest.get(..2).unwrap_or_default();
    assert_eq!(error, outcome.code.as_bytes());
    assert!(error.iter().all(u8::is_ascii_alphanumeric), "{}", outcome.code);
    assert!(u16::try_from(answer.len()).is_ok(), "longer than a frame: {}", answer.len());
    if !["00", "01"].contains(&outcome.code) {
        // Nothing but the trailer follows an error.
        assert!(rest.get(2).is_none_or(|next| *next == crate::fields::END_OF_MESSAGE), "{}", row.name());
    }
    let whole = [&b"HEAD"[..], row.code, body].concat();
    let explained = explain(&whole, 4, false);
    assert!(explained.is_some_and(|explained| explained.header == "HEAD"));
    // States that commands leave behind.
    device.set_authorised(true);
    device.set_delay(0);
}

/// Any message is taken apart or refused.
pub fn answers(data: &[u8]) {
    for header in [0, 4] {
        if let Some(explained) = explain(data, header, true) {
            let length: usize = data.len();
            assert!(explained.fields.iter().all(|field| field.at <= length));
        }
    }
}

/// A TR-31 block opens only when its MAC says so; a block made here always does.
pub fn key_blocks(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let kbpk = [0x45; 32];
    let length = [16, 24, 32][usize::from(*first) % 3];
    let kbpk = &kbpk[..length];
    if let Ok(text) = std::str::from_utf8(rest) {
        let _ = tr31::unwrap(kbpk, text);
        let _ = tr31::length(text);
    }
    let version = [tr31::Version::A, tr31::Version::B, tr31::Version::C, tr31::Version::D][usize::from(*first) / 64];
    let header = tr31::Header::new(*b"P0", b'T', b'E', b'N');
    let fill = &mut |target: &mut [u8]| {
        target.fill(*first);
        Ok(())
    };
    if let Ok(block) = tr31::wrap(kbpk, version, &header, rest, fill) {
        let opened = tr31::unwrap(kbpk, &block);
        assert!(opened.is_ok_and(|(read, key)| read.without_padding() == header && *key == *rest));
    }
}
