//! As much of Protocol Buffers as an ONNX file takes: fields of varints, floats, and length-delimited bytes.
//!
//! Numbers of fields are those of `onnx.proto3`, ONNX IR version 8.

/// A message that is being written.
#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    pub(super) fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
            value >>= 7;
        }
        self.bytes.push(u8::try_from(value).expect("seven bits"));
    }

    pub(super) fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        self.varint(value.cast_unsigned());
        self
    }

    pub(super) fn blob(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.bytes.extend(value);
        self
    }

    pub(super) fn text(self, field: u64, value: &str) -> Self {
        self.blob(field, value.as_bytes())
    }

    pub(super) fn message(self, field: u64, value: &Self) -> Self {
        self.blob(field, &value.bytes)
    }

    /// Integers in a row, packed.
    pub(super) fn ints(self, field: u64, values: &[i64]) -> Self {
        let mut packed = Self::default();
        for value in values {
            packed.varint(value.cast_unsigned());
        }
        self.message(field, &packed)
    }

    /// Floats in a row, packed.
    pub(super) fn floats(self, field: u64, values: &[f32]) -> Self {
        let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.blob(field, &packed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_encoding_guide_shows() {
        // protobuf.dev, "Encoding": 150 in field 1, "testing" in field 2, [3, 270, 86942] packed in field 6.
        assert_eq!(Message::default().int(1, 150).bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").bytes(), b"\x12\x07testing");
        assert_eq!(
            Message::default().ints(6, &[3, 270, 86_942]).bytes(),
            [0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05]
        );
    }
}
