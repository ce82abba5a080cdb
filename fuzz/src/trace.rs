//! The target for traces: the file of a run.

use swarmlab_trace::{Item, Reader, State, Writer};

/// A trace is read without a panic, whatever it is; what is read is written so that it reads the same; a keyframe comes back
/// equal. Nearly no mutation leaves a checksum right, so the input is read once as it is and once with checksums that fit.
pub fn trace(input: &[u8]) {
    read(input);
    read(&sealed(input));
}

fn read(input: &[u8]) {
    let Ok(mut reader) = Reader::new(input) else { return };
    let header = reader.header().clone();
    let mut state = State::new(header.piece_count());
    let mut again = Vec::new();
    let mut writer = Writer::new(&mut again, &header).expect("memory takes everything");
    let mut entries = Vec::new();
    while let Ok(Some(item)) = reader.next_item() {
        assert!(reader.offset() <= input.len() as u64);
        match item {
            Item::Record(entry) => {
                state.apply(entry.at, &entry.record);
                writer.push(entry.at, &entry.record).expect("memory takes everything");
                entries.push(entry);
            }
            // From here on as one who begins at it.
            Item::Keyframe(keyframe) => state = *keyframe,
            Item::End(_) => {}
        }
    }
    let late = writer.catch_up();
    let made = writer.state().clone();
    writer.finish(0, true).expect("memory takes everything");
    let mut reader = Reader::new(&again[..]).expect("what was written is a trace");
    let mut written = entries.iter();
    while let Some(item) = reader.next_item().expect("what was written can be read") {
        if let Item::Record(entry) = item {
            assert_eq!(Some(&entry), written.next());
        }
    }
    assert!(written.next().is_none());
    match Reader::new(&late[..]).expect("a trace").next_item() {
        Ok(Some(Item::Keyframe(keyframe))) => assert!(*keyframe == made),
        other => panic!("{other:?}"),
    }
}

/// The same frames with checksums that fit.
fn sealed(input: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    let mut at = 16;
    while let Some(head) = bytes.get(at..at + 9) {
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let Some(body) = bytes.get(at + 9..).and_then(|rest| rest.get(..length)) else { break };
        let sum =
            head[..5].iter().chain(body).fold(u32::MAX, |sum, byte| {
                (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                    if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 }
                })
            });
        bytes[at + 5..at + 9].copy_from_slice(&(!sum).to_le_bytes());
        at += 9 + length;
    }
    bytes
}
