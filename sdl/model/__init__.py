"""Values of the domain: frozen, without behaviour beyond what follows from their own fields."""
