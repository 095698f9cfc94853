//! A look into a built program before it is packed.

use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Architecture, BinaryFormat, File, Object as _, elf};

use crate::targets::Target;

/// The most that a program may weigh, in bytes.
pub const MOST: usize = 20 << 20;

/// What is wrong with this program for this target. `hidden` are folders of the machine that built it, whose names must not be in
/// it: they would tell about that machine, and make the bytes depend on it.
pub fn problems(bytes: &[u8], target: Target, hidden: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    match File::parse(bytes) {
        Ok(file) => {
            let architecture = match target.arch {
                "amd64" => Architecture::X86_64,
                _ => Architecture::Aarch64,
            };
            let format = match target.os {
                "linux" => BinaryFormat::Elf,
                "darwin" => BinaryFormat::MachO,
                _ => BinaryFormat::Pe,
            };
            if (file.format(), file.architecture()) != (format, architecture) {
                found.push(format!("not a program for {target}: {:?} {:?}", file.format(), file.architecture()));
            }
            if file.has_debug_symbols() {
                found.push("it carries debugging symbols".to_owned());
            }
        }
        Err(error) => found.push(format!("not a program: {error}")),
    }
    if target.os == "linux" && is_dynamic(bytes) {
        found.push("it needs a loader and libraries of the system: not static".to_owned());
    }
    if bytes.len() > MOST {
        found.push(format!("{} MiB: more than {} MiB", bytes.len() >> 20, MOST >> 20));
    }
    for folder in hidden.iter().filter(|folder| contains(bytes, folder.as_bytes())) {
        found.push(format!("it names a folder of the machine that built it: {folder}"));
    }
    found
}

/// Whether an ELF program asks for a loader.
fn is_dynamic(bytes: &[u8]) -> bool {
    let Ok(header) = elf::FileHeader64::<object::Endianness>::parse(bytes) else { return false };
    let Ok(endian) = header.endian() else { return false };
    let segments = header.program_headers(endian, bytes).unwrap_or_default();
    segments.iter().any(|segment| segment.p_type(endian) == elf::PT_INTERP)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && bytes.windows(part.len()).any(|window| window == part)
}
