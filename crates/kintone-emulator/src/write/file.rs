//! Cells of attached files. A request names an upload by its key; the record gets a download key of its own.

use serde_json::Value as Json;

use super::batch::Batch;
use super::error::WriteError;
use crate::model::{Field, FileValue, StoredFile, Tenant, Value};

/// An upload that a record takes.
#[derive(Debug)]
pub(super) struct TakenFile {
    upload_key: String,
    download_key: String,
}

impl Batch<'_> {
    /// `[{fileKey}, …]`: keys of uploads, or download keys of files that the cell holds already. Any other key is
    /// `GAIA_BL01`.
    pub(super) fn files(
        &mut self,
        field: &Field,
        at: &str,
        given: Option<&Json>,
        previous: Option<&Value>,
    ) -> Result<Value, WriteError> {
        let given = match given {
            None => &[][..],
            Some(Json::Array(files)) => files,
            Some(_) => {
                self.problems
                    .add(format!("{at}.{}.value", field.code), "The value must be an array of objects.");
                &[]
            }
        };
        let mut files = Vec::new();
        for (index, file) in given.iter().enumerate() {
            match file["fileKey"].as_str() {
                Some(key) => files.push(self.file(key, previous)?),
                None => {
                    self.problems.add(format!("{at}.{}.values[{index}].fileKey", field.code), "Required.");
                }
            }
        }
        Ok(Value::Files(files))
    }

    fn file(&mut self, key: &str, previous: Option<&Value>) -> Result<FileValue, WriteError> {
        if let Some(Value::Files(held)) = previous
            && let Some(file) = held.iter().find(|file| file.file_key == key)
        {
            return Ok(file.clone());
        }
        let upload = self.context.tenant.files.get(key).filter(|file| !file.attached).ok_or_else(|| {
            WriteError::refused("GAIA_BL01", 404, format!("The file (fileKey: {key}) is not found."))
        })?;
        let download_key = (self.context.new_file_key)();
        self.taken_files.push(TakenFile { upload_key: key.to_owned(), download_key: download_key.clone() });
        Ok(FileValue {
            content_type: upload.content_type.clone(),
            file_key: download_key,
            name: upload.name.clone(),
            size: upload.content.len() as u64,
        })
    }
}

impl TakenFile {
    /// Makes the uploads files of their records. One request may take an upload several times; after it, the
    /// upload's key is gone.
    pub(super) fn attach(taken: Vec<Self>, tenant: &mut Tenant) {
        for file in &taken {
            if let Some(upload) = tenant.files.get(&file.upload_key) {
                let attached = StoredFile { attached: true, ..upload.clone() };
                tenant.files.insert(file.download_key.clone(), attached);
            }
        }
        for file in taken {
            tenant.files.remove(&file.upload_key);
        }
    }
}
