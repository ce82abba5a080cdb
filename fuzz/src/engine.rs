//! The target for the engine: any sequence of inputs, in the form its own tests read them from bytes.

#[path = "../../crates/protocol/tests/any_input/inputs.rs"]
mod inputs;

/// The engine takes the inputs without a panic, keeps its bounds, and never speaks to a link that is gone.
pub fn inputs(input: &[u8]) {
    inputs::drive(input);
}
