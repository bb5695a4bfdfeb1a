//! The routes of those who are told about the health of connections. They are named by id or name.

use super::error::ClientError;
use super::{ApiClient, path};
use crate::{
    CreateNotificationRecipient, NotificationRecipient, NotificationRecipients, Success,
    UpdateNotificationRecipient,
};

const ROUTE: &str = "notification-recipients";

impl ApiClient {
    /// All recipients.
    pub async fn list_recipients(&self) -> Result<Vec<NotificationRecipient>, ClientError> {
        Ok(self.get::<NotificationRecipients>(&path([ROUTE])).await?.recipients)
    }

    /// Makes a recipient.
    pub async fn create_recipient(
        &self,
        draft: &CreateNotificationRecipient,
    ) -> Result<NotificationRecipient, ClientError> {
        self.post(&path([ROUTE]), draft).await
    }

    /// One recipient.
    pub async fn read_recipient(&self, reference: &str) -> Result<NotificationRecipient, ClientError> {
        self.get(&path([ROUTE, reference])).await
    }

    /// Changes a recipient.
    pub async fn update_recipient(
        &self,
        reference: &str,
        change: &UpdateNotificationRecipient,
    ) -> Result<NotificationRecipient, ClientError> {
        self.patch(&path([ROUTE, reference]), change).await
    }

    /// Deletes a recipient.
    pub async fn delete_recipient(&self, reference: &str) -> Result<(), ClientError> {
        self.delete::<Success>(&path([ROUTE, reference])).await.map(drop)
    }

    /// Sends a recipient a test message.
    pub async fn test_recipient(&self, reference: &str) -> Result<NotificationRecipient, ClientError> {
        self.post(&path([ROUTE, reference, "test"]), &serde_json::json!({})).await
    }
}
