//! The real binary in temporary directories.

#[cfg(test)]
mod artifacts;
#[cfg(test)]
mod bytes;
#[cfg(test)]
mod lineage;
#[cfg(test)]
mod process;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod store;
#[cfg(test)]
mod supersession;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod types;
#[cfg(test)]
mod world;
