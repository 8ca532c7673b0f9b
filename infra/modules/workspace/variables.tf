variable "folder" {
  description = "The workspace: a folder with tminus.toml."
  type        = string

  # A folder of data = "../export" in [source] is on this machine; gs://bucket/folder is not.
  validation {
    condition = (
      length(setintersection(keys(var.environment), ["USER_DATA", "USER_DATA_DIR"])) > 0 ||
      !can(regex("(?m)^\\s*data\\s*=\\s*[\"'](?:[^g]|g[^s]|gs[^:])", file("${var.folder}/tminus.toml")))
    )
    error_message = "workspace: tminus.toml says that the user data are a folder, which functions do not have. Name a bucket, a database or a dataset there, or set user_dataset, or USER_DATA or USER_DATA_DIR in settings."
  }
}

variable "check" {
  description = "Whether the check has to pass before a changed workspace is uploaded."
  type        = bool
}

variable "command" {
  description = "The check, in a shell with the folder in $WORKSPACE; null: tminus check, by the tminus of .venv or else of the PATH."
  type        = string
  default     = null
}

variable "environment" {
  description = "Settings of the deployment that the check reads, such as where user data is."
  type        = map(string)
  default     = {}
}
