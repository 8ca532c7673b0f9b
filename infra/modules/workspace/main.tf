# A workspace: which of its files are deployed, and the check that they pass first.

locals {
  # What functions read, and nothing else: exports, .env, keys and notes that lie in the folder stay on this machine.
  patterns = ["tminus.toml", "tables.toml", "data_packs.py", "models/*.sql", "jobs/*.sql", "jobs/*.py", "templates/*.json", "recipes/*.json"]
  names    = setunion([for pattern in local.patterns : fileset(var.folder, pattern)]...)
  files    = { for name in local.names : name => "${var.folder}/${name}" if !can(regex("(^|/)\\.", name)) }

  # Names of tables, from the headers [NAME.columns] of tables.toml. Where a table is written otherwise, which only the lines
  # before the first header can do, Terraform cannot tell.
  declared = try(replace(file(local.files["tables.toml"]), "/(?m)^[ \\t]*#.*$/", ""), "")
  tables   = startswith(trimspace(local.declared), "[") ? toset(flatten(regexall("(?m)^[ \\t]*\\[[ \\t]*[\"']?([A-Za-z_][A-Za-z0-9_]*)", local.declared))) : null

  command = <<-EOT
    PATH="${abspath(path.module)}/../../../.venv/bin:$PATH"
    command -v tminus >/dev/null || { echo "tminus is not installed, so the workspace cannot be checked: run make setup" >&2; exit 1; }
    exec tminus --workspace "$WORKSPACE" check
  EOT
}

# Runs when a file has changed since the last deployment, before anything is uploaded.
resource "terraform_data" "check" {
  count = var.check ? 1 : 0

  triggers_replace = sha256(jsonencode({ for name, path in local.files : name => filesha256(path) }))

  provisioner "local-exec" {
    command     = coalesce(var.command, local.command)
    environment = merge(var.environment, { WORKSPACE = abspath(var.folder) })
  }
}
