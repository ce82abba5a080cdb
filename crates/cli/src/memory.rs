//! What this process has taken of memory, as the system counts it.

/// The most memory this process has held at once, in bytes; `None` where the system does not say.
pub fn peak() -> Option<u64> {
    kib_of(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:").map(|kib| kib << 10)
}

/// The memory that programs can still take before the system has to swap or to refuse, in bytes.
pub fn available() -> Option<u64> {
    kib_of(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:").map(|kib| kib << 10)
}

/// The number of a line such as `VmHWM:     1234 kB`.
fn kib_of(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_their_names() {
        let text = "Name:\tswarmlab\nVmPeak:\t 30000 kB\nVmHWM:\t    1234 kB\n";
        assert_eq!(kib_of(text, "VmHWM:"), Some(1234));
        assert_eq!(kib_of(text, "VmRSS:"), None);
        assert_eq!(kib_of("VmHWM: much\n", "VmHWM:"), None);
    }
}
