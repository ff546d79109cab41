//! What kind of filesystem the root is on, and when the machine was started.

use std::io;
use std::os::fd::BorrowedFd;

use crate::vfs::FilesystemKind;

/// Filesystems whose locks and syncs reach other machines, by the number that `statfs` gives.
#[cfg(target_os = "linux")]
const NETWORK_FILESYSTEMS: &[(u32, &str)] = &[
    (0x0000_6969, "nfs"),
    (0x0000_517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x0000_564c, "ncp"),
    (0x0102_1997, "9p"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "afs"),
    (0x7375_7245, "coda"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
    (0x4750_4653, "gpfs"),
    (0x7461_636f, "ocfs2"),
    (0x0116_1970, "gfs2"),
    (0x1983_0326, "beegfs"),
    (0xaad7_aaea, "panfs"),
    (0x2003_0528, "orangefs"),
    (0x6163_6673, "acfs"),
    (0xbeef_dead, "snfs"),
    (0x0131_11a8, "ibrix"),
    (0xbacb_acbc, "vmhgfs"),
    (0x786f_4256, "vboxsf"),
];

#[cfg(target_os = "linux")]
pub(super) fn filesystem_of(file: BorrowedFd<'_>) -> io::Result<FilesystemKind> {
    Ok(kind_of_magic(rustix::fs::fstatfs(file)?.f_type))
}

#[cfg(target_os = "linux")]
fn kind_of_magic(magic: impl TryInto<i128>) -> FilesystemKind {
    // The field is signed on some machines; only its low 32 bits are the number.
    let magic = magic.try_into().unwrap_or_default() & 0xffff_ffff;
    NETWORK_FILESYSTEMS
        .iter()
        .find(|(number, _)| i128::from(*number) == magic)
        .map_or(FilesystemKind::Local, |(_, name)| {
            FilesystemKind::Network((*name).to_owned())
        })
}

#[cfg(target_vendor = "apple")]
pub(super) fn filesystem_of(file: BorrowedFd<'_>) -> io::Result<FilesystemKind> {
    // MNT_LOCAL of <sys/mount.h>.
    const LOCAL: u32 = 0x1000;
    let found = rustix::fs::fstatfs(file)?;
    if found.f_flags & LOCAL != 0 {
        return Ok(FilesystemKind::Local);
    }
    Ok(FilesystemKind::Network("a network filesystem".to_owned()))
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(super) fn filesystem_of(_file: BorrowedFd<'_>) -> io::Result<FilesystemKind> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
pub(super) fn boot_id() -> io::Result<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(text.trim().to_owned())
}

/// The system's own id of its present session, asked from `sysctl`, as there is no file that tells it.
#[cfg(target_vendor = "apple")]
pub(super) fn boot_id() -> io::Result<String> {
    let output = std::process::Command::new("/usr/sbin/sysctl")
        .args(["-n", "kern.bootsessionuuid"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if text.is_empty() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok(text)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(super) fn boot_id() -> io::Result<String> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_filesystems_are_known_by_number_whatever_its_sign() {
        let network = |name: &str| FilesystemKind::Network(name.to_owned());
        assert_eq!(kind_of_magic(0x6969_i64), network("nfs"));
        assert_eq!(kind_of_magic(0xff53_4d42_u32), network("cifs"));
        assert_eq!(
            kind_of_magic(0xff53_4d42_u32.cast_signed()),
            network("cifs")
        );
        assert_eq!(kind_of_magic(0xef53_i64), FilesystemKind::Local);
    }
}
