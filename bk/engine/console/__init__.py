"""The one door to the stores: what the dashboard and the command line may ask and do."""
