# The workspace: its check runs before anything is uploaded, and again when a file has changed.

run "a_check" {
  command = apply

  module {
    source = "./modules/workspace"
  }

  variables {
    folder  = "tests/workspace"
    check   = true
    command = "test -f \"$WORKSPACE/tminus.toml\" && test \"$USER_DATA\" = bigquery"

    environment = { USER_DATA = "bigquery" }
  }

  assert {
    condition     = terraform_data.check[0].triggers_replace == sha256(jsonencode({ for name, path in output.files : name => filesha256(path) }))
    error_message = "a changed file is checked again"
  }

  assert {
    condition     = output.tables == toset(["members", "phones"])
    error_message = "the declared tables are known, for what functions may read"
  }
}

run "no_check" {
  command = plan

  module {
    source = "./modules/workspace"
  }

  variables {
    folder = "tests/workspace"
    check  = false
  }

  assert {
    condition     = length(terraform_data.check) == 0
    error_message = "an earlier archive is deployed as it is"
  }
}

run "a_folder_of_user_data_is_not_deployed" {
  command = plan

  module {
    source = "./modules/workspace"
  }

  variables {
    folder = "tests/workspace_on_files"
    check  = false
  }

  expect_failures = [var.folder]
}

run "settings_say_where_the_user_data_are" {
  command = plan

  module {
    source = "./modules/workspace"
  }

  variables {
    folder      = "tests/workspace_on_files"
    check       = false
    environment = { USER_DATA_DIR = "gs://kicks-test-exports/users" }
  }
}
