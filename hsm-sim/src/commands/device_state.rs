//! RA, LG and NK: leaving the authorised state, holding answers back, several commands in one.

use host_commands::wire;

use super::Reply;
use crate::device::Device;
use crate::error::Code;
use crate::fields::Fields;

/// RA: leaves the authorised state, which only the console can enter again.
pub fn cancel_authorised(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    fields.end()?;
    device.set_authorised(false);
    Ok(Reply::ok(""))
}

/// LG: how many milliseconds every answer is held back from now on.
pub fn set_delay(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let delay = fields.number("delay in milliseconds", 3)?;
    fields.end()?;
    device.set_delay(u64::try_from(delay).map_err(|_| Code::INPUT)?);
    Ok(Reply::ok(""))
}

/// Characters of the header that a command in a chain may have of its own.
const CHAINED_HEADER: usize = 4;

/// NK: header flag, number of commands, then each with four digits of length in front. The answers come in the same form.
pub fn chain(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let header = match fields.byte("header flag")? {
        b'0' => 0,
        b'1' => CHAINED_HEADER,
        _ => return Err(Code::HEADER),
    };
    let count = fields.number("number of commands", 2)?;
    let mut commands = Vec::new();
    for _ in 0..count {
        let length = fields.number("length", 4)?;
        commands.push(wire::split(fields.bytes("command", length)?, header).ok_or(Code::INPUT)?);
    }
    fields.end()?;
    let mut reply = Reply::ok(format!("{count:02}"));
    for (header, command, body) in commands {
        let mut answer = Vec::new();
        // A chain in a chain could multiply without end, and slow commands would hold up others.
        if &command == b"NK" || super::find(command).is_some_and(|row| row.slow) {
            return Err(Code::NOT_PERMITTED);
        }
        device.run(header, command, body, &mut answer);
        reply.fields.extend_from_slice(format!("{:04}", answer.len()).as_bytes());
        reply.fields.append(&mut answer);
    }
    Ok(reply)
}
