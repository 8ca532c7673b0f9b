variable "project_id" {
  description = "The project."
  type        = string
}

variable "location" {
  description = "The region."
  type        = string
}

variable "audience_bucket" {
  description = "Name of the bucket of audiences, device tokens and receipts."
  type        = string
}

variable "source_bucket" {
  description = "Name of the bucket of source archives."
  type        = string
}

variable "audience_retention_days" {
  description = "Days until an audience is deleted."
  type        = number
}

variable "receipt_retention_days" {
  description = "Days until a receipt is deleted."
  type        = number
}
