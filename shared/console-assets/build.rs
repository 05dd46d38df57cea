//! Compiles this crate again when the console was built anew. The folder is always there, even where no console is.

fn main() {
    println!("cargo:rerun-if-changed=../../services/console/dist");
}
