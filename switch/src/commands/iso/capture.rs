//! The byte streams of a network capture (pcapng or pcap): one for each direction of each TCP connection.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, bail};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

/// One direction of a connection.
#[derive(Debug)]
pub struct Flow {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

/// Whether a file begins as captures do.
pub fn is_capture(file: &[u8]) -> bool {
    const PCAPNG: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];
    const PCAP: [[u8; 4]; 4] =
        [[0xA1, 0xB2, 0xC3, 0xD4], [0xD4, 0xC3, 0xB2, 0xA1], [0xA1, 0xB2, 0x3C, 0x4D], [0x4D, 0x3C, 0xB2, 0xA1]];
    file.first_chunk().is_some_and(|magic| *magic == PCAPNG || PCAP.contains(magic))
}

/// The longest stream that is put together; what comes after is left out.
const STREAM_MAX: usize = 1024 * 1024;
/// The largest packet record that is taken.
const BLOCK_MAX: usize = 1024 * 1024;

/// Segments by their place behind the first one seen.
#[derive(Default)]
struct Segments {
    first: Option<u32>,
    by_place: BTreeMap<u32, Vec<u8>>,
}

impl Segments {
    fn add(&mut self, sequence: u32, payload: &[u8]) {
        let first = *self.first.get_or_insert(sequence);
        let place = sequence.wrapping_sub(first);
        // What lies before the first one seen wraps round to far behind it.
        let fits = usize::try_from(place).is_ok_and(|place| place < STREAM_MAX);
        if fits && !payload.is_empty() {
            let known = self.by_place.entry(place).or_default();
            if known.len() < payload.len() {
                *known = payload.to_vec();
            }
        }
    }

    /// Up to the first gap; what was sent twice is there once.
    fn joined(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = Vec::new();
        for (place, payload) in &self.by_place {
            let place = usize::try_from(*place).unwrap_or(usize::MAX);
            let Some(again) = bytes.len().checked_sub(place) else { break };
            bytes.extend_from_slice(payload.get(again..).unwrap_or_default());
        }
        bytes
    }
}

/// The streams of a capture that hold anything, by address.
pub fn flows(file: &[u8]) -> anyhow::Result<Vec<Flow>> {
    let mut reader = create_reader(BLOCK_MAX, file).map_err(|error| anyhow::anyhow!("no capture: {error:?}"))?;
    let mut links = Vec::new();
    let mut connections: BTreeMap<(SocketAddr, SocketAddr), Segments> = BTreeMap::new();
    loop {
        match reader.next() {
            Ok((used, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => links = vec![header.network],
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => links.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => links.push(interface.linktype),
                    PcapBlockOwned::Legacy(packet) => add(&mut connections, links.first(), packet.data),
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let link = usize::try_from(packet.if_id).ok().and_then(|at| links.get(at));
                        // The block's data end with filling.
                        let length = usize::try_from(packet.caplen).unwrap_or(usize::MAX).min(packet.data.len());
                        add(&mut connections, link, &packet.data[..length]);
                    }
                    PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                        add(&mut connections, links.first(), packet.data)
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(used);
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => {
                // A capture that was cut off is read as far as it goes.
                if reader.reader_exhausted() {
                    break;
                }
                reader.refill().map_err(|error| anyhow::anyhow!("{error:?}")).context("the capture does not read")?;
            }
            Err(error) => bail!("the capture is damaged: {:?}", std::mem::discriminant(&error)),
        }
    }
    let joined = connections.into_iter().map(|((from, to), segments)| Flow { from, to, bytes: segments.joined() });
    Ok(joined.filter(|flow| !flow.bytes.is_empty()).collect())
}

fn add(connections: &mut BTreeMap<(SocketAddr, SocketAddr), Segments>, link: Option<&Linktype>, data: &[u8]) {
    // A BSD loopback header says which of the two IPs follows, which the packet says too.
    const LOOPBACK_HEADER: usize = 4;
    let packet = match link.copied() {
        Some(Linktype::ETHERNET) => SlicedPacket::from_ethernet(data).ok(),
        Some(Linktype::LINUX_SLL) => SlicedPacket::from_linux_sll(data).ok(),
        Some(Linktype::RAW | Linktype::IPV4 | Linktype::IPV6) => SlicedPacket::from_ip(data).ok(),
        Some(Linktype::NULL | Linktype::LOOP) => {
            data.get(LOOPBACK_HEADER..).and_then(|ip| SlicedPacket::from_ip(ip).ok())
        }
        _ => None,
    };
    let Some(SlicedPacket { net: Some(net), transport: Some(TransportSlice::Tcp(tcp)), .. }) = packet else { return };
    let addresses = match &net {
        NetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        NetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        NetSlice::Arp(_) => return,
    };
    let from = SocketAddr::new(addresses.0, tcp.source_port());
    let to = SocketAddr::new(addresses.1, tcp.destination_port());
    // A SYN takes one number of the sequence.
    let sequence = tcp.sequence_number().wrapping_add(u32::from(tcp.syn()));
    connections.entry((from, to)).or_default().add(sequence, tcp.payload());
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;

    fn packet(from: u16, to: u16, sequence: u32, syn: bool, payload: &[u8]) -> Vec<u8> {
        let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
        let builder = builder.tcp(from, to, sequence, 1024);
        let builder = if syn { builder.syn() } else { builder };
        let mut packet = Vec::new();
        builder.write(&mut packet, payload).unwrap();
        packet
    }

    /// The classic format, in the byte order of this machine's file.
    fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
        let mut file = vec![0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0];
        file.extend([0; 8]);
        file.extend(65_535_u32.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        for packet in packets {
            file.extend([0; 8]);
            let length = u32::try_from(packet.len()).unwrap().to_le_bytes();
            file.extend([length, length].concat());
            file.extend(packet);
        }
        file
    }

    fn pcapng(packets: &[Vec<u8>]) -> Vec<u8> {
        let block = |kind: u32, body: &[u8]| {
            let filling = vec![0; body.len().next_multiple_of(4) - body.len()];
            let length = u32::try_from(12 + body.len() + filling.len()).unwrap().to_le_bytes();
            [&kind.to_le_bytes()[..], &length, body, &filling, &length].concat()
        };
        let mut section = vec![0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0];
        section.extend([0xFF; 8]);
        let mut file = block(0x0A0D_0D0A, &section);
        file.extend(block(1, &[1, 0, 0, 0, 0, 0, 4, 0]));
        for packet in packets {
            let length = u32::try_from(packet.len()).unwrap().to_le_bytes();
            file.extend(block(6, &[&[0; 12][..], &length, &length, packet].concat()));
        }
        file
    }

    fn packets() -> Vec<Vec<u8>> {
        let start = u32::MAX - 2;
        vec![
            packet(40_000, 8583, start, true, b""),
            // Out of order, one of them twice, across the end of the sequence numbers.
            packet(40_000, 8583, start.wrapping_add(6), false, b"second"),
            packet(40_000, 8583, start.wrapping_add(1), false, b"first"),
            packet(40_000, 8583, start.wrapping_add(1), false, b"first"),
            packet(8583, 40_000, 7, false, b"answer"),
            // Behind a gap.
            packet(40_000, 8583, start.wrapping_add(100), false, b"third"),
            packet(40_001, 8583, 1, true, b""),
        ]
    }

    #[test]
    fn streams_are_put_together_from_either_format() {
        for file in [pcap(&packets()), pcapng(&packets())] {
            assert!(is_capture(&file));
            let flows = flows(&file).unwrap();
            let all: Vec<(u16, &[u8])> = flows.iter().map(|flow| (flow.from.port(), &flow.bytes[..])).collect();
            assert_eq!(all, [(8583, &b"answer"[..]), (40_000, b"firstsecond")]);
        }
    }

    #[test]
    fn a_capture_that_is_cut_off_is_read_as_far_as_it_goes_and_noise_is_refused() {
        for file in [pcap(&packets()), pcapng(&packets())] {
            for cut in 0..file.len() {
                if let Ok(flows) = flows(&file[..cut]) {
                    assert!(flows.len() <= 2);
                }
            }
            let mut noise = file.clone();
            noise.iter_mut().skip(40).for_each(|byte| *byte ^= 0xA5);
            let _ = flows(&noise);
        }
        assert!(!is_capture(b"0200") && flows(b"no capture at all").is_err());
    }

    /// A record larger than any is an error, not a wait for the rest of it.
    #[test]
    fn a_record_that_is_too_large_is_refused() {
        let large = packet(40_000, 8583, 1, false, &vec![7; 40_000]);
        let records = vec![[&large[..], &vec![0; 3 * BLOCK_MAX]].concat()];
        for file in [pcap(&records), pcapng(&records)] {
            assert!(flows(&file).is_err());
        }
    }
}
