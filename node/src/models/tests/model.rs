//! Models that are open.

use std::{fs, path::Path};

use ensemble_compute::{
    inference::{ranges, Run, Tables},
    Machine,
};
use ensemble_tensor::{read::gguf::Archive, Bundle, Header, Kind, Tensor, TensorId};
use tempfile::TempDir;

use super::samples::sample;
use crate::models::{
    import::{Error as ImportError, Import},
    Model,
};

/// Writes a tensor to a folder, and returns its id.
fn write(folder: &Path, header: Header, data: &[u8]) -> TensorId {
    let tensor = Tensor::new(header, data).unwrap();
    let id = tensor.id().unwrap();
    fs::write(folder.join(id.to_string()), tensor.encode()).unwrap();
    id
}

/// The sample as a folder, with its members as `edit` leaves them.
pub fn folder(edit: impl FnOnce(&mut Vec<(String, Header, Vec<u8>)>)) -> (TempDir, TensorId) {
    let file = sample().file();
    let archive = Archive::parse(&file).unwrap();
    let import = Import::new(&archive, None).unwrap();
    let encode = |(name, member)| {
        let mut data = Vec::new();
        import
            .encode::<ImportError>(member, |part| {
                data.extend_from_slice(part);
                Ok(())
            })
            .unwrap();
        (String::from(name), import.header(member).unwrap(), data)
    };
    let mut members: Vec<_> = import.members().map(encode).collect();
    edit(&mut members);
    let folder = tempfile::tempdir().unwrap();
    let ids: Vec<_> =
        members.iter().map(|(name, header, data)| (name.as_str(), write(folder.path(), *header, data))).collect();
    let manifest = Bundle::encode(ids).unwrap();
    let id = write(folder.path(), Bundle::header(&manifest).unwrap(), &manifest);
    (folder, id)
}

fn member<'a>(members: &'a mut [(String, Header, Vec<u8>)], name: &str) -> &'a mut (String, Header, Vec<u8>) {
    members.iter_mut().find(|(member, ..)| member == name).unwrap()
}

#[track_caller]
fn refused(why: &str, edit: impl FnOnce(&mut Vec<(String, Header, Vec<u8>)>)) {
    let (folder, id) = folder(edit);
    let error = Model::in_folder(folder.path(), &id).err().expect("this should be refused").to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn a_model_gives_tables_and_rows() {
    let (folder, id) = folder(|_| {});
    let model = Model::in_folder(folder.path(), &id).unwrap();
    assert_eq!(model.llama().vocabulary, 262);
    let rope = model.rope(1).unwrap();
    assert_eq!((rope.len(), rope[0]), (16, 580_145_183));
    assert_eq!(model.rope(32), None);
    let (kind, row) = model.embedding(261).unwrap();
    assert_eq!((kind, row.len()), (Kind::Q8_0, 68));
    assert_eq!(model.embedding(262), None);
    // The head of this model is its embedding.
    assert_eq!(model.row(8, 0, 261).unwrap(), row);
    assert_eq!(model.row(0, 2, 31).unwrap().len(), 68);
    for (stage, matrix, row) in [(9, 0, 0), (0, 3, 0), (0, 0, 64), (0, 0, u32::MAX)] {
        assert!(model.row(stage, matrix, row).is_err(), "{stage} {matrix} {row}");
    }
    assert!(model.member("rope").is_some() && model.member("none").is_none());
}

#[test]
fn an_answer_is_the_same_for_any_number_of_ranges() {
    let (folder, id) = folder(|_| {});
    let model = Model::in_folder(folder.path(), &id).unwrap();
    let machine = Machine::ONE_CORE;
    let local = model.local(0, 1, machine).unwrap();
    let mut run = Run::new(model.llama(), &model, false, machine).unwrap();
    let prompt = model.tokenizer().tokens("the end of the").unwrap();
    let call = run.begin(&prompt, true).unwrap();
    let whole = model.outputs(call.stage, 0, 1, &call.inputs, machine).unwrap();
    assert_eq!(whole, local.compute(&call).unwrap());
    let stage = model.llama().stage(call.stage).unwrap();
    for count in 1..=5 {
        let outputs = |range| model.outputs(call.stage, range, count, &call.inputs, machine).unwrap();
        let parts: Vec<_> = (0..count).map(outputs).collect();
        for (number, expected) in whole.iter().enumerate() {
            let of_input: Vec<&[i64]> = parts.iter().map(|part| part[number].as_slice()).collect();
            assert_eq!(ranges::join(model.llama(), stage, &of_input).as_ref(), Some(expected));
        }
    }
    assert!(model.outputs(9, 0, 1, &call.inputs, machine).is_err());
    assert!(model.outputs(3, 0, 1, &call.inputs, machine).is_err());
}

#[test]
fn members_that_are_missing_or_of_another_shape_are_refused() {
    for name in ["config", "tokenizer", "special", "rope", "token_embd.weight", "blk.1.ffn_norm.weight"] {
        refused(&format!("the bundle has no {name:?}"), |members| members.retain(|(member, ..)| member != name));
    }
    for name in ["blk.0.attn_q.weight", "output_norm.weight", "rope"] {
        refused(&format!("the member {name:?} has another kind or shape"), |members| {
            let (_, header, data) = member(members, name);
            *header = Header::bytes(data.len() as u64).unwrap();
        });
        refused(&format!("the member {name:?} has another kind or shape"), |members| {
            let (_, header, data) = member(members, name);
            let cols = header.cols() / 2;
            *header =
                Header::new(header.kind(), header.rows() * 2, cols.next_multiple_of(32).min(cols.max(32))).unwrap();
            data.resize(usize::try_from(header.data_len()).unwrap(), 0);
        });
    }
    refused("does not consist of bytes", |members| {
        let (_, header, data) = member(members, "config");
        *header = Header::new(Kind::I16, 1, 1).unwrap();
        data.truncate(2);
    });
    refused("has more than 1024", |members| {
        let (_, header, data) = member(members, "config");
        data.resize(1025, 0);
        *header = Header::bytes(1025).unwrap();
    });
}

#[test]
fn architectures_and_templates_that_cannot_be_are_refused() {
    refused("the architecture is of none that this software knows", |members| {
        member(members, "config").2[0] = 1;
    });
    refused("no model can have this shape", |members| {
        member(members, "config").2[1..5].copy_from_slice(&[0; 4]);
    });
    refused("the tokenizer has 262 tokens, but the model 263", |members| {
        // Layers, width, heads, heads of keys, width of a head, hidden: 24 bytes after the variant.
        member(members, "config").2[25..29].copy_from_slice(&263u32.to_le_bytes());
    });
    refused("the model's template is no text", |members| member(members, "template").2[0] = 0xff);
}

#[test]
fn files_that_are_not_what_their_names_say_are_refused() {
    let (folder, id) = folder(|_| {});
    let open = || Model::in_folder(folder.path(), &id).map(drop).map_err(|error| error.to_string());
    let rope = Model::in_folder(folder.path(), &id).unwrap().member("rope").unwrap();
    let path = folder.path().join(rope.to_string());
    let bytes = fs::read(&path).unwrap();
    let mut altered = bytes.clone();
    altered[100] ^= 1;
    fs::write(&path, &altered).unwrap();
    assert_eq!(open(), Err(format!("the file of {rope} is damaged; get it again")));
    fs::write(&path, &bytes[..100]).unwrap();
    assert!(open().unwrap_err().contains("was the file cut"));
    fs::remove_file(&path).unwrap();
    assert!(open().unwrap_err().contains("cannot be read"));
    fs::write(&path, &bytes).unwrap();
    assert_eq!(open(), Ok(()));
    assert!(Model::in_folder(folder.path(), &rope).err().unwrap().to_string().contains("is no bundle"));
}
