variable "project_id" {
  description = "The project."
  type        = string
}

variable "notification_channels" {
  description = "Names of the channels that get alerts."
  type        = list(string)
}

variable "reconcile_job" {
  description = "Name of the scheduler job that calls reconcile."
  type        = string
}

variable "queues" {
  description = "Names of the queues: steps and shards."
  type        = object({ steps = string, shards = string })
}
