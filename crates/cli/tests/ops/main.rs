//! The JSON operations of the real binary, one at a time and line by line; batches; and the clients of the guide.

#[cfg(test)]
mod batch;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod co_process;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod one_shot;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
#[path = "../command_line/world.rs"]
#[expect(dead_code, reason = "the tests of other commands need more of it")]
mod world;
