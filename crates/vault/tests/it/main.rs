//! What must hold for every sealed value, seen from outside.

mod keys;
mod sealing;
