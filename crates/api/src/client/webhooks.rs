//! The routes of webhooks. They are named by id or name.

use super::error::ClientError;
use super::{ApiClient, path, query};
use crate::{
    CreateWebhook, ReplayWebhook, ReplayedWebhook, Success, UpdateWebhook, Webhook, WebhookDeliveries,
    WebhookDeliveriesQuery, WebhookDelivery, WebhookDeliveryDetails, WebhookWithSecret, Webhooks,
};

impl ApiClient {
    /// All webhooks.
    pub async fn list_webhooks(&self) -> Result<Vec<Webhook>, ClientError> {
        Ok(self.get::<Webhooks>("/webhooks").await?.webhooks)
    }

    /// Makes a webhook; the answer shows its secret, this once.
    pub async fn create_webhook(&self, draft: &CreateWebhook) -> Result<WebhookWithSecret, ClientError> {
        self.post("/webhooks", draft).await
    }

    /// One webhook.
    pub async fn read_webhook(&self, reference: &str) -> Result<Webhook, ClientError> {
        self.get(&path(["webhooks", reference])).await
    }

    /// Changes a webhook.
    pub async fn update_webhook(
        &self,
        reference: &str,
        change: &UpdateWebhook,
    ) -> Result<Webhook, ClientError> {
        self.patch(&path(["webhooks", reference]), change).await
    }

    /// Deletes a webhook.
    pub async fn delete_webhook(&self, reference: &str) -> Result<(), ClientError> {
        self.delete::<Success>(&path(["webhooks", reference])).await.map(drop)
    }

    /// Gives a webhook another secret; the answer shows it, this once.
    pub async fn rotate_webhook_secret(&self, reference: &str) -> Result<WebhookWithSecret, ClientError> {
        self.post(&path(["webhooks", reference, "rotate-secret"]), &serde_json::json!({})).await
    }

    /// Sends a test event.
    pub async fn test_webhook(&self, reference: &str) -> Result<WebhookDelivery, ClientError> {
        self.post(&path(["webhooks", reference, "test"]), &serde_json::json!({})).await
    }

    /// Sends events again.
    pub async fn replay_webhook(
        &self,
        reference: &str,
        wanted: &ReplayWebhook,
    ) -> Result<ReplayedWebhook, ClientError> {
        self.post(&path(["webhooks", reference, "replay"]), wanted).await
    }

    /// One page of deliveries.
    pub async fn list_webhook_deliveries(
        &self,
        wanted: &WebhookDeliveriesQuery,
    ) -> Result<WebhookDeliveries, ClientError> {
        self.get(&query("/webhook-deliveries", wanted)?).await
    }

    /// One delivery with its attempts.
    pub async fn read_webhook_delivery(&self, id: &str) -> Result<WebhookDeliveryDetails, ClientError> {
        self.get(&path(["webhook-deliveries", id])).await
    }
}
