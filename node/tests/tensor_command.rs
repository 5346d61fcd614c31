//! The `tensor` subcommand, as a user runs it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ensemble_tensor::{Header, Kind, Tensor, TensorId};
use serde_json::Value;
use tempfile::TempDir;

/// A folder for one test's files.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn tensor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ensemble-node")).arg("tensor").args(arguments).output().unwrap()
}

/// What the command prints if it succeeds.
#[track_caller]
fn text(arguments: &[&str]) -> String {
    let output = tensor(arguments);
    assert!(output.status.success(), "{arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "a pipe gets no progress bar");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&text(&[arguments, &["--json"]].concat())).unwrap()
}

/// Fails, prints nothing, and explains itself in one line that contains `message`.
#[track_caller]
fn assert_refused(arguments: &[&str], message: &str) {
    let output = tensor(arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    assert!(error.contains(message), "{error}");
}

fn str(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A matrix of 3 rows and 64 columns of binary32, as numpy saves it.
fn npy() -> Vec<u8> {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 64), }";
    let elements = (0..192u8).flat_map(|i| (f32::from(i) / 7.0 - 10.0).to_le_bytes());
    let len = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &len[..], header.as_bytes()].concat().into_iter().chain(elements).collect()
}

fn safetensors(header: &str, elements: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), elements].concat()
}

fn two_tensors() -> Vec<u8> {
    let header = r#"{"scale":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},
        "a.weight":{"dtype":"F16","shape":[2,32],"data_offsets":[4,132]}}"#;
    safetensors(header, &[0; 132])
}

#[test]
fn a_matrix_is_converted_inspected_proved_and_verified() {
    let folder = Folder::new();
    let (input, output) = (folder.write("table.npy", &npy()), folder.path("table.tensor"));
    let converted = json(&["convert", str(&input), str(&output)]);
    assert_eq!(
        (&converted["kind"], &converted["rows"], &converted["cols"]),
        (&Value::from("q8_0"), &Value::from(3), &Value::from(64))
    );

    let encoded = fs::read(&output).unwrap();
    let expected = Tensor::parse(&encoded).unwrap();
    let id = expected.id().unwrap().to_string();
    assert_eq!(converted["id"], Value::from(id.as_str()));
    assert_eq!(converted["bytes"], Value::from(encoded.len()));
    assert_eq!(json(&["inspect", str(&output)]), converted);
    assert_eq!(json(&["verify", str(&output), "--id", &id]), converted);
    assert!(text(&["inspect", str(&output)]).contains(&format!("id      {id}\nkind    q8_0\nrows    3\n")));

    let proof = folder.path("proof.json");
    let printed = text(&["prove", str(&output), "2"]);
    assert!(text(&["prove", str(&output), "2", "-o", str(&proof)]).contains("row 2"));
    assert_eq!(fs::read_to_string(&proof).unwrap(), printed);
    let holds = json(&["verify-proof", str(&proof), "--id", &id]);
    assert_eq!(holds["index"], Value::from(2));
    assert_eq!(holds["leaf"], Value::from(format!("0x{}", hex::encode(expected.leaf(2).unwrap()))));
}

#[test]
fn converting_twice_gives_the_same_bytes() {
    let folder = Folder::new();
    let input = folder.write("table.npy", &npy());
    let [first, second] = ["first", "second"].map(|name| {
        let output = folder.path(name);
        text(&["convert", str(&input), str(&output), "--kind", "q8_0"]);
        fs::read(output).unwrap()
    });
    assert_eq!(first, second);
}

#[test]
fn any_file_becomes_bytes() {
    let folder = Folder::new();
    let content: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    let (input, output) = (folder.write("photo.jpg", &content), folder.path("photo.tensor"));
    let converted = json(&["convert", str(&input), str(&output)]);
    assert_eq!((&converted["kind"], &converted["leaves"]), (&Value::from("bytes"), &Value::from(3)));
    let header = Header::new(Kind::Bytes, 10_000, 1).unwrap();
    assert_eq!(fs::read(&output).unwrap(), Tensor::new(header, &content).unwrap().encode());

    let matrix = folder.write("table.npy", &npy());
    let raw = json(&["convert", str(&matrix), str(&output), "--kind", "bytes"]);
    assert_eq!(raw["rows"], Value::from(npy().len()));
}

#[test]
fn several_tensors_become_a_bundle_in_a_folder() {
    let folder = Folder::new();
    let (input, output) = (folder.write("model.safetensors", &two_tensors()), folder.path("model"));
    let bundle = json(&["convert", str(&input), str(&output)]);
    assert_eq!(bundle["kind"], Value::from("bundle"));
    let members = bundle["members"].as_array().unwrap();
    assert_eq!(members.iter().map(|member| &member["name"]).collect::<Vec<_>>(), ["a.weight", "scale"]);

    let ids = members.iter().chain([&bundle]).map(|tensor| tensor["id"].as_str().unwrap());
    for id in ids.clone() {
        json(&["verify", str(&output.join(id)), "--id", id]);
    }
    let mut ids: Vec<_> = ids.map(String::from).collect();
    ids.sort();
    assert_eq!(folder.names("model"), ids, "nothing else is in the folder");
    let manifest = output.join(bundle["id"].as_str().unwrap());
    assert_eq!(json(&["inspect", str(&manifest)]), bundle);
}

#[test]
fn one_of_several_tensors_is_chosen_by_name() {
    let folder = Folder::new();
    let (input, output) = (folder.write("model.safetensors", &two_tensors()), folder.path("scale"));
    let converted = json(&["convert", str(&input), str(&output), "--name", "scale"]);
    assert_eq!((&converted["kind"], &converted["rows"], &converted["cols"]), (&"i16".into(), &1.into(), &2.into()));
    let nowhere = folder.path("nowhere");
    let refused = ["convert", str(&input), str(&nowhere), "--name", "bias"];
    assert_refused(&refused, r#"there is no tensor named "bias"; the file has a.weight, scale"#);
    let kind = ["convert", str(&input), str(&nowhere), "--name", "scale", "--kind", "q8_0"];
    assert_refused(&kind, "this becomes kind i16, not q8_0");
    assert!(!nowhere.exists());
}

#[test]
fn what_cannot_be_converted_leaves_nothing_behind() {
    let folder = Folder::new();
    let output = folder.path("out");
    let mut not_finite = npy();
    let at = not_finite.len() - 4;
    not_finite[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    let bf16 = safetensors(r#"{"w":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}"#, &[0; 2]);
    let pair = r#"{"a":{"dtype":"I16","shape":[1],"data_offsets":[0,2]},
        "b c":{"dtype":"I16","shape":[1],"data_offsets":[2,4]}}"#;
    for (name, content, message) in [
        ("nan.npy", not_finite, "row 2, column 63 is infinite or not a number"),
        ("cut.npy", npy()[..500].to_vec(), "was it cut or extended?"),
        ("text.npy", b"hello".to_vec(), "this is no valid .npy file"),
        ("bf16.safetensors", bf16, "tensor w: elements of type BF16 cannot be converted"),
        ("none.safetensors", safetensors("{}", &[]), "the file holds no tensors"),
        ("cut.safetensors", two_tensors()[..100].to_vec(), "it ends before its header does"),
        ("empty", Vec::new(), "the file is empty"),
    ] {
        let input = folder.write(name, &content);
        assert_refused(&["convert", str(&input), str(&output)], message);
        fs::remove_file(input).unwrap();
    }
    assert_refused(&["convert", str(&folder.path("absent")), str(&output)], "cannot read");
    assert_eq!(folder.names("."), [""; 0]);

    let input = folder.write("names.safetensors", &safetensors(pair, &[0; 4]));
    assert_refused(&["convert", str(&input), str(&output)], r#""b c" is no name for a member of a bundle"#);
    assert!(!output.exists());
    let second = r#"{"a":{"dtype":"I16","shape":[1],"data_offsets":[0,2]},
        "b":{"dtype":"F16","shape":[32],"data_offsets":[2,66]}}"#;
    let input = folder.write("infinite.safetensors", &safetensors(second, &[0x7c; 66]));
    assert_refused(&["convert", str(&input), str(&output)], "tensor b: row 0, column 0 is infinite");
    assert_eq!(folder.names("out"), [""; 0]);
    let input = folder.write("table.npy", &npy());
    assert_refused(&["convert", str(&input), str(&input)], "this is the input");
    assert_refused(&["convert", str(&input), str(&output), "--name", "a"], "leave it out");
    assert_refused(&["convert", str(&input), str(&folder.path("no/such/folder"))], "cannot write");
    assert_eq!(fs::read(&input).unwrap(), npy());
}

#[test]
fn damaged_files_and_other_tensors_are_told_apart() {
    let folder = Folder::new();
    let (input, output) = (folder.write("table.npy", &npy()), folder.path("table.tensor"));
    let id = json(&["convert", str(&input), str(&output)])["id"].as_str().unwrap().to_owned();
    let mut encoded = fs::read(&output).unwrap();

    let cut = folder.write("cut", &encoded[..encoded.len() - 1]);
    assert_refused(&["verify", str(&cut)], "the header asks for 204 bytes of data, but there are 203");
    assert_refused(&["verify", str(&input)], "it does not begin with ENST; convert the file first");

    *encoded.last_mut().unwrap() ^= 1;
    let altered = folder.write("altered", &encoded);
    text(&["verify", str(&altered)]);
    assert_refused(&["verify", str(&altered), "--id", &id], &format!("not {id}"));

    encoded[Header::LEN..Header::LEN + 2].copy_from_slice(&[0, 0x7c]);
    let infinite = folder.write("infinite", &encoded);
    text(&["inspect", str(&infinite)]);
    assert_refused(&["verify", str(&infinite)], "the scale or minimum of block 0 in row 0 is not a finite number");
}

#[test]
fn proofs_of_other_rows_and_tensors_are_refused() {
    let folder = Folder::new();
    let (input, output) = (folder.write("table.npy", &npy()), folder.path("table.tensor"));
    let id = json(&["convert", str(&input), str(&output)])["id"].as_str().unwrap().to_owned();
    assert_refused(&["prove", str(&output), "3"], "there is no row 3: the tensor has 3 provable rows");

    let proof = text(&["prove", str(&output), "1"]);
    let path = folder.write("proof.json", proof.as_bytes());
    text(&["verify-proof", str(&path), "--id", &id]);
    let other = TensorId([1; 32]).to_string();
    assert_refused(&["verify-proof", str(&path), "--id", &other], "the proof does not lead to the tensor 0x0101");
    let moved = folder.write("moved.json", proof.replace(r#""index": 1"#, r#""index": 0"#).as_bytes());
    assert_refused(&["verify-proof", str(&moved), "--id", &id], "the proof does not lead to the tensor");
    let text = folder.write("text.json", b"hello");
    assert_refused(&["verify-proof", str(&text), "--id", &id], "this is no row proof");
    let large = folder.write("large.json", &vec![b' '; 5 << 20]);
    assert_refused(&["verify-proof", str(&large), "--id", &id], "too many for a row proof");
}

#[test]
fn ids_and_kinds_are_checked_on_the_command_line() {
    let refused = |arguments: &[&str]| {
        let output = tensor(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["verify", "file", "--id", "0x12"]).contains("write 0x and 64 hexadecimal digits"));
    assert!(refused(&["convert", "in", "out", "--kind", "f32"]).contains("q8_0, i16, i32, bytes"));
    assert!(refused(&["prove", "file", "-1"]).contains("-1"));
}
