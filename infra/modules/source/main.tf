# The archive of what is deployed: main.py, requirements.txt, functions/, audience_jobs/ and the workspace, and nothing else.
#
# Terraform packs it on this machine and keeps hashes of it in its state, no content. The archive's name is known before it
# exists, from the hash of each file, so that a plan says whether anything new is deployed.

locals {
  tree_files = [
    for file in setunion(
      ["main.py", "requirements.txt"],
      fileset(var.tree, "functions/**"),
      fileset(var.tree, "audience_jobs/**"),
    ) : file if !can(regex("(^|/)(__pycache__/|\\.)|\\.pyc$", file))
  ]
  files = merge(
    { for name in local.tree_files : name => "${var.tree}/${name}" },
    { for name, path in var.workspace_files : "${var.workspace}/${name}" => path },
  )

  # As the lines of sha256sum, in the order of the names.
  digest  = sha256(join("", [for name in sort(keys(local.files)) : "${filesha256(local.files[name])}  ${name}\n"]))
  archive = "${var.folder}/tminus-${local.digest}.zip"
}

resource "terraform_data" "archive" {
  count = var.pack ? 1 : 0

  input            = local.archive
  triggers_replace = local.digest

  provisioner "local-exec" {
    command = "exec python3 \"$PACK\""

    environment = {
      PACK    = "${path.module}/pack.py"
      ARCHIVE = local.archive
      DIGEST  = local.digest
      FILES   = join("\n", [for name, path in local.files : "${name}\t${path}"])
    }
  }
}
