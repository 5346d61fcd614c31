//! The bundle of the model that is served: fetched once, kept with the state.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ensemble_model::{Folder, Matrices, OpenError, MAX_MANIFEST};
use ensemble_tensor::{Bundle, Header, Tensor, TensorId};
use tokio::task::spawn_blocking;

use crate::{connection::Connection, error::Error, progress::waiting, tensors::fetch_encoded};

/// Opens a model, of which the node gives what is not in the folder. Each file is held against its id.
///
/// # Errors
///
/// If the node does not have it, or it is no model.
pub async fn open(connection: &Connection, content: &TensorId, folder: PathBuf) -> Result<Arc<Matrices>, Error> {
    fetch(connection, content, &folder).await?;
    let id = *content;
    let (path, opening) = (folder.clone(), move || Matrices::open(&Folder::open(&folder, &id)?));
    let opened = waiting("checking the model", spawn_blocking(opening)).await;
    let opened = opened.map_err(|error| Error::Other(format!("the model was not opened: {error}")))?;
    opened.map(Arc::new).map_err(|error| damaged(&path, &error))
}

async fn fetch(connection: &Connection, content: &TensorId, folder: &Path) -> Result<(), Error> {
    let most = MAX_MANIFEST.saturating_add(Header::LEN as u64);
    let path = folder.join(content.to_string());
    have(connection, content, most, &path).await?;
    let bytes = fs::read(&path).map_err(Error::read(&path))?;
    let manifest = Tensor::parse(&bytes).and_then(|tensor| Bundle::parse(tensor.data()));
    for (_, member) in manifest.map_err(|error| damaged(folder, &error.into()))?.iter() {
        have(connection, &member, u64::MAX, &folder.join(member.to_string())).await?;
    }
    Ok(())
}

/// A file gets its name when all of it is there and fits its id.
async fn have(connection: &Connection, id: &TensorId, most: u64, path: &Path) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    fetch_encoded(connection, id, most, path).await.map(drop)
}

fn damaged(folder: &Path, error: &OpenError) -> Error {
    Error::File {
        path: folder.into(),
        message: error.to_string(),
        remedy: "remove this folder, so that the model is fetched anew; if that does not help, serve another model"
            .into(),
    }
}
