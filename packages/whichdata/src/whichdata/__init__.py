"""Which data could have printed these figures?"""
