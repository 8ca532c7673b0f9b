output "files" {
  description = "Where each file that is deployed is on this machine, by its path in the folder."
  value       = local.files
}

output "tables" {
  description = "Names of the tables that tables.toml declares; null where Terraform cannot read them out of it."
  value       = local.tables
}
