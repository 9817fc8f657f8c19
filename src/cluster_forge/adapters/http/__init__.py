"""Files fetched by HTTP (`http`), or read where nothing may be fetched (`local`): a run needs one of them."""
